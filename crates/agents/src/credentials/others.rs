use std::path::{Path, PathBuf};

use super::places::HOMES;

/// The system's table of users (`passwd(5)`).
pub(super) const TABLE: &str = "/etc/passwd";
/// Where distributions begin to number people (`login.defs(5)`, UID_MIN).
const FIRST_PERSON: u32 = 1000;
/// Who is nobody.
const NOBODY: u32 = 65_534;

/// Homes of other people that may hold what `path` shows: their credentials are no more for a bottle than the person's own.
/// `own` is the person's home. People are root, whom `table` has as such, and whoever has a folder among the homes.
pub(super) fn homes(table: &str, path: &Path, own: &Path) -> Vec<PathBuf> {
    let among = HOMES.iter().filter_map(|homes| {
        let person = path.strip_prefix(homes).ok()?.iter().next()?;
        Some(Path::new(homes).join(person))
    });
    let mut homes: Vec<PathBuf> = table.lines().filter_map(home_of).chain(among).chain(["/root".into()]).collect();
    homes.sort();
    homes.dedup();
    homes.retain(|home| home != own);
    homes
}

/// The home in a line of the table, when it is a person's.
fn home_of(line: &str) -> Option<PathBuf> {
    let fields: Vec<&str> = line.split(':').collect();
    let (user, home) = (fields.get(2)?.parse::<u32>().ok()?, Path::new(fields.get(5)?));
    let is_person = user >= FIRST_PERSON && user != NOBODY;
    (is_person && home.is_absolute() && home.parent().is_some()).then(|| home.to_owned())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::homes;

    const USERS: &str = "root:x:0:0:root:/root:/bin/sh\ndaemon:x:1:1::/usr/sbin:/bin/sh\nann:x:1000:1000::/srv/ann:/bin/sh\n\
                         me:x:1001:1001::/home/me:/bin/sh\nnobody:x:65534:65534::/nonexistent:/bin/sh\nodd:x:1002:1002::/:/bin/sh\n:::\n";

    #[test]
    fn people_are_those_of_the_table_and_those_with_a_folder_among_the_homes() {
        let of = |path: &str| homes(USERS, Path::new(path), Path::new("/home/me"));
        assert_eq!(of("/work"), ["/root", "/srv/ann"].map(Path::new));
        assert_eq!(of("/home/bob/project"), ["/home/bob", "/root", "/srv/ann"].map(Path::new));
        assert_eq!(of("/home/me/project"), ["/root", "/srv/ann"].map(Path::new));
    }
}
