use bottle::GuestPath;
use bottle::tree::Source;

use super::{GitIdentity, part};

fn identity(name: Option<&str>, email: Option<&str>) -> GitIdentity {
    GitIdentity { name: name.map(str::to_owned), email: email.map(str::to_owned) }
}

fn written(identity: Option<&GitIdentity>, folders: &[GuestPath]) -> Option<String> {
    let part = part(identity, folders).unwrap()?;
    assert_eq!(part.at.to_string(), "/home/node/.gitconfig");
    match part.source {
        Source::File { content, .. } => Some(String::from_utf8(content).unwrap()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn only_what_is_set_is_written() {
    assert_eq!(written(None, &[]), None);
    let email = identity(None, Some("a@b.c"));
    assert_eq!(written(Some(&email), &[]).unwrap(), "[user]\n\temail = \"a@b.c\"\n");
    let workspace = GuestPath::parse("/home/node/workspace").unwrap();
    assert_eq!(written(None, &[workspace]).unwrap(), "[safe]\n\tdirectory = \"/home/node/workspace\"\n");
}

#[test]
fn quotes_backslashes_and_comment_signs_stay_part_of_the_name() {
    let odd = identity(Some("A \"B\" C\\n # ; x"), None);
    assert!(odd.check().is_ok());
    assert_eq!(written(Some(&odd), &[]).unwrap(), "[user]\n\tname = \"A \\\"B\\\" C\\\\n # ; x\"\n");
}

#[test]
fn what_would_end_the_line_or_the_address_is_refused() {
    for bad in ["a\nb", "a\r", "a\0", "\x1b[0m", "", "  ", "x <y>"] {
        for identity in [identity(Some(bad), None), identity(Some("ok"), Some(bad))] {
            let error = identity.check().unwrap_err().to_string();
            assert!(error.starts_with("git-gate.user.") && !error.contains(['\n', '\x1b']), "{error}");
        }
    }
    assert!(identity(Some("Zoë"), Some("z@x.y")).check().is_ok());
}
