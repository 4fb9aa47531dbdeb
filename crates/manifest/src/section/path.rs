use std::path::Path;

/// Checks a path on the host as manifests write it: absolute, or below `~/`; never relative to a folder that nobody named.
pub(crate) fn host_path(text: &str) -> Result<String, String> {
    let rest = text.strip_prefix("~/").or_else(|| text.strip_prefix('/')).ok_or("a path begins with `/` or `~/`")?;
    if rest.trim_matches('/').is_empty() {
        return Err("it names a whole file system or home; name a folder or file in it".to_owned());
    }
    clean(rest)?;
    Ok(text.to_owned())
}

/// Checks a path that may also begin with `./` or `../`, and is then seen from the folder of the manifest that names it.
pub(crate) fn path_from(manifest: &Path, text: &str) -> Result<String, String> {
    let Some(rest) = text.strip_prefix("./").or_else(|| text.starts_with("../").then_some(text)) else {
        return host_path(text).map_err(|why| why.replace("`/` or `~/`", "`/`, `~/`, `./` or `../`"));
    };
    let below = rest.trim_start_matches("../");
    clean(below)?;
    if below.trim_matches('/').is_empty() {
        return Err("it names no file or folder".to_owned());
    }
    let folder = manifest.parent().unwrap_or(Path::new("."));
    // Taken step by step in the text: a link that stands for the manifests' folder does not change what is meant.
    let ups = (rest.len() - below.len()) / "../".len();
    let base = folder.ancestors().nth(ups).ok_or("it leads above `/`")?;
    base.join(below).into_os_string().into_string().map_err(|_| "its full path is not UTF-8".to_owned())
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
    use std::path::Path;

    use super::{guest_path, host_path, path_from};

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
    fn paths_from_the_manifest() {
        let from = |text| path_from(Path::new("/home/me/.bot-bottle/bottles/b.md"), text);
        assert_eq!(from("./rootfs").as_deref(), Ok("/home/me/.bot-bottle/bottles/rootfs"));
        assert_eq!(from("../../images/a.tar").as_deref(), Ok("/home/me/images/a.tar"));
        assert_eq!(from("~/x").as_deref(), Ok("~/x"));
        for bad in ["./", "../", "../..", "./a/../b", "../../../../../../x", "./a\0"] {
            assert!(from(bad).is_err(), "{bad:?}");
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
