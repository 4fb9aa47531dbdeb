use manifest::Origin;
use session::{Limit, PolicyLines, Preflight, RouteLine, WorkspaceLine};

/// The preflight as lines for a person. Every text in it is safe to show.
pub fn render(preflight: &Preflight) -> String {
    let mut lines = Lines::default();
    let origin = match preflight.agent_origin {
        Origin::Repository => "  (shipped by this repository)",
        Origin::Home => "",
    };
    lines.one("session", &preflight.identity);
    lines.one("agent", &format!("{}{origin}", preflight.agent));
    lines.one("bottle", &preflight.bottles.join(" + "));
    lines.one("backend", &format!("{} ({})", preflight.backend, preflight.boundary));
    lines.one("image", preflight.image.as_deref().unwrap_or_default());
    let program = preflight.program.as_ref().map(|path| format!("  ({path})")).unwrap_or_default();
    lines.one("runs", &format!("{}{program}", command(&preflight.command)));
    lines.many("model", &preflight.model);
    lines.one("skills", &preflight.skills.join(", "));
    if let Some(workspace) = &preflight.workspace {
        lines.one(
            "workspace",
            &format!(
                "a copy of {} at {} ({} files, {})",
                workspace.host,
                workspace.path,
                workspace.files,
                bytes(workspace.bytes)
            ),
        );
        lines.one("", &left_out(workspace));
    }
    lines.policy(&preflight.policy);
    lines.one("network", preflight.network);
    lines.many("visible", &preflight.tools);
    for note in &preflight.notes {
        lines.one("note", note);
    }
    lines.into_text()
}

/// What of a workspace stays behind: a link of the repository's that the person thought harmless may be what they need.
fn left_out(workspace: &WorkspaceLine) -> String {
    let more = workspace.left_out.saturating_sub(workspace.left_out_first.len() as u64);
    match (workspace.left_out_first.join(", "), more) {
        (_, _) if workspace.left_out == 0 => String::new(),
        (names, 0) => format!("without {names} (links that lead out of it, sockets and the like)"),
        (names, more) => format!("without {names} and {more} more (links that lead out of it, sockets and the like)"),
    }
}

/// Lines of a label and a text; one without text is left out.
#[derive(Default)]
pub struct Lines(String);

impl Lines {
    /// One line.
    pub fn one(&mut self, label: &str, text: &str) {
        if !text.is_empty() {
            self.0.push_str(&format!("  {label:<10} {text}\n"));
        }
    }

    /// One line for each text, the label before the first.
    pub fn many(&mut self, label: &str, texts: &[String]) {
        for (at, text) in texts.iter().enumerate() {
            self.one(if at == 0 { label } else { "" }, text);
        }
    }

    /// What the merged manifests say.
    pub fn policy(&mut self, policy: &PolicyLines) {
        let env = policy.env.iter().map(|line| match line.from.as_str() {
            "manifest" => line.name.clone(),
            from => format!("{} ({from})", line.name),
        });
        self.one("env", &env.collect::<Vec<_>>().join(", "));
        self.one("git user", &policy.git_user.join(", "));
        self.many("git repos", &policy.git_repos);
        self.many("egress", &policy.egress.iter().flat_map(route).collect::<Vec<_>>());
        self.one("limits", &policy.limits.iter().map(limit).collect::<Vec<_>>().join(", "));
    }

    /// All of them.
    pub fn into_text(self) -> String {
        self.0
    }
}

/// A command for reading: words with spaces in quotes, long words cut.
fn command(argv: &[String]) -> String {
    let word = |word: &String| {
        let cut: String = word.chars().take(60).collect();
        let cut = if cut.len() < word.len() { cut + "…" } else { cut };
        if cut.is_empty() || cut.contains([' ', '"', '\'', '$', '\\', ';']) { format!("'{cut}'") } else { cut }
    };
    argv.iter().map(word).collect::<Vec<_>>().join(" ")
}

/// A route and, below it, the requests that it allows where it does not allow all.
fn route(route: &RouteLine) -> Vec<String> {
    let requests = route.requests.iter().map(|request| format!("  only {request}"));
    std::iter::once(route.to_string()).chain(requests).collect()
}

/// A limit for reading.
fn limit(limit: &Limit) -> String {
    let value = limit.value;
    match limit.name {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a limit is a whole number of bytes above 0")]
        "memory" | "disk" => format!("{} {}", limit.name, bytes(value as u64)),
        "time" => format!("time {value} s"),
        name => format!("{name} {value}"),
    }
}

/// Bytes for reading, in powers of 1024.
pub fn bytes(bytes: u64) -> String {
    let units = ["bytes", "KiB", "MiB", "GiB", "TiB"];
    let mut at = 0;
    let mut shown = (bytes, 0);
    while shown.0 >= 1024 && at + 1 < units.len() {
        shown = (shown.0 / 1024, (shown.0 % 1024) * 10 / 1024);
        at += 1;
    }
    match shown {
        (whole, 0) => format!("{whole} {}", units[at]),
        (whole, tenth) => format!("{whole}.{tenth} {}", units[at]),
    }
}

#[cfg(test)]
mod tests {
    use super::{bytes, command};

    #[test]
    fn sizes_are_short() {
        assert_eq!([0, 1023, 1536, 2 << 30].map(bytes), ["0 bytes", "1023 bytes", "1.5 KiB", "2 GiB"]);
    }

    #[test]
    fn commands_are_one_line() {
        let argv = ["sh".to_owned(), "-c".to_owned(), "a b".to_owned(), "x".repeat(100)];
        assert_eq!(command(&argv), format!("sh -c 'a b' {}…", "x".repeat(60)));
    }
}
