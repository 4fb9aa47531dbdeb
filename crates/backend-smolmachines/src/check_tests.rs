use std::os::unix::fs::PermissionsExt;

use super::{CREATE_OPTIONS, group, knows_options, kvm, new_enough, parse};

#[test]
fn versions_are_read_in_every_form_that_was_seen() {
    assert_eq!(parse("smolvm 1.32.2\n"), Some((1, 32, 2)));
    assert_eq!(parse("note: no packed assets found\nsmolvm 2.0\n"), Some((2, 0, 0)));
    assert_eq!(parse("smolvm 1.33.0-rc.1"), Some((1, 33, 0)));
    for bad in ["", "1.32.2", "smolvm", "smolvm one.two"] {
        assert_eq!(parse(bad), None, "{bad:?}");
    }
}

#[test]
fn what_is_too_old_or_says_no_version_is_told() {
    new_enough("smolvm 1.32.0").unwrap();
    let error = new_enough("smolvm 1.31.9").unwrap_err();
    assert!(error.missing.contains("1.31.9") && error.missing.contains("1.32"), "{error}");
    assert!(new_enough("hello").unwrap_err().missing.contains("does not say its version"));
}

#[test]
fn an_option_that_is_gone_is_named() {
    let help = CREATE_OPTIONS.join(" <X>\n  ");
    knows_options(&help).unwrap();
    let error = knows_options(&help.replace("--mount-socket", "--mount-sockets")).unwrap_err();
    assert!(error.missing.ends_with("has no --mount-socket"), "{error}");
}

#[test]
fn a_device_that_is_missing_or_closed_is_told_with_the_command() {
    let folder = tempfile::tempdir().unwrap();
    let device = folder.path().join("kvm");
    let error = kvm(&device, false).unwrap_err();
    assert!(error.missing.contains("there is no") && error.hints[0].contains("modprobe"), "{error}");
    std::fs::File::create(&device).unwrap().set_permissions(std::fs::Permissions::from_mode(0o600)).unwrap();
    assert!(kvm(&device, true).unwrap_err().hints[0].starts_with("chmod 666"));
    std::fs::File::open(&device).unwrap().set_permissions(std::fs::Permissions::from_mode(0o666)).unwrap();
    kvm(&device, true).unwrap();
    kvm(&device, false).unwrap();
}

#[test]
fn roots_group_is_none_to_join() {
    assert_eq!(group(0), None);
    assert_eq!(group(u32::MAX - 7), None);
}
