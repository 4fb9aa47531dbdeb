/// Checks a path on the host as manifests write it: absolute, or below `~/`; never relative to a folder that nobody named.
pub(crate) fn host_path(text: &str) -> Result<String, String> {
    let rest = text.strip_prefix("~/").or_else(|| text.strip_prefix('/')).ok_or("a path begins with `/` or `~/`")?;
    if rest.trim_matches('/').is_empty() {
        return Err("it names a whole file system or home; name a folder or file in it".to_owned());
    }
    clean(rest)?;
    Ok(text.to_owned())
}

/// Checks a path in the bottle: absolute.
pub(crate) fn guest_path(text: &str) -> Result<String, String> {
    let rest = text.strip_prefix('/').ok_or("a path in the bottle begins with `/`")?;
    if rest.trim_matches('/').is_empty() {
        return Err("it names the bottle's whole file system; name a folder in it".to_owned());
    }
    clean(rest)?;
    Ok(text.trim_end_matches('/').to_owned())
}

fn clean(rest: &str) -> Result<(), String> {
    if rest.split('/').any(|part| matches!(part, "." | "..")) {
        return Err("it holds `.` or `..`; write the path that they lead to".to_owned());
    }
    if rest.len() > 4096 || rest.split('/').any(|part| part.len() > 255) {
        return Err("it is longer than a path can be".to_owned());
    }
    if rest.chars().any(char::is_control) {
        return Err("it holds a control character".to_owned());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{guest_path, host_path};

    #[test]
    fn host_paths() {
        for good in ["/opt/tool", "~/.local/bin/x", "/a b/"] {
            assert_eq!(host_path(good).as_deref(), Ok(good));
        }
        for bad in ["", "x", "./x", "../x", "~", "~/", "/", "//", "~root/x", "/a/../b", "~/../x", "/a\0", "$HOME/x"] {
            assert!(host_path(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn guest_paths() {
        assert_eq!(guest_path("/work/"), Ok("/work".to_owned()));
        for bad in ["", "work", "~/work", "/", "/..", "/a/./b"] {
            assert!(guest_path(bad).is_err(), "{bad:?}");
        }
    }
}
