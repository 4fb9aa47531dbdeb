use std::path::{Component, Path};

/// Where a symbolic link leads, judged by its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Leads {
    /// Into the tree it stands in.
    Inside,
    /// Inside by its text, but a `..` follows a name that may itself be a link (`a/up/../x` where `a/up` is `..`), so that the
    /// kernel may see it otherwise.
    InsideAsFarAsNamesTell,
    /// Out of it: an absolute target, or more `..` than folders above it.
    Outside,
}

/// Judges a link to `target` that stands in a folder `depth` levels below the root of its tree. `None` as depth means that the
/// link is the root of its tree: nothing is inside then.
pub(super) fn leads(depth: Option<usize>, target: &Path) -> Leads {
    let Some(mut depth) = depth else { return Leads::Outside };
    let mut names_before = false;
    let mut verdict = Leads::Inside;
    for part in target.components() {
        match part {
            Component::Prefix(_) | Component::RootDir => return Leads::Outside,
            Component::CurDir => {}
            Component::Normal(_) => {
                depth = depth.saturating_add(1);
                names_before = true;
            }
            Component::ParentDir => {
                let Some(up) = depth.checked_sub(1) else { return Leads::Outside };
                depth = up;
                if names_before {
                    verdict = Leads::InsideAsFarAsNamesTell;
                }
            }
        }
    }
    verdict
}

/// How many folders stand between the root of a tree and the entry at `path`; `None` for the root itself.
pub(super) fn depth_of(path: &Path) -> Option<usize> {
    path.components().count().checked_sub(1)
}

#[cfg(test)]
mod tests {
    use super::{Leads, leads};
    use std::path::Path;

    #[test]
    fn tells_inside_from_outside() {
        let cases = [
            (Some(0), "x", Leads::Inside),
            (Some(0), ".", Leads::Inside),
            (Some(1), "../x/y", Leads::Inside),
            (Some(2), "../..", Leads::Inside),
            (Some(1), "a/../x", Leads::InsideAsFarAsNamesTell),
            (Some(0), "..", Leads::Outside),
            (Some(1), "../../x", Leads::Outside),
            (Some(1), "a/../../../x", Leads::Outside),
            (Some(9), "/etc/passwd", Leads::Outside),
            (None, "x", Leads::Outside),
        ];
        for (depth, target, expected) in cases {
            assert_eq!(leads(depth, Path::new(target)), expected, "{target} at {depth:?}");
        }
    }
}
