//! Host folders and files that are shown in a bottle.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use bottle::{Backend, BottleName, BottleSpec, Exec, HostPlace, LaunchError, Limits, RootFs, Tool};

use crate::backend::backend;

fn spec(name: &str, tools: &[&Path]) -> BottleSpec {
    let tools = tools.iter().map(|path| Tool::look(path).unwrap()).collect();
    BottleSpec { name: BottleName::parse(name).unwrap(), root: RootFs::Default, tools, limits: Limits::default() }
}

#[allow(clippy::disallowed_methods, reason = "files of the test's own")]
fn write(path: &Path, content: &str, mode: u32) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[tokio::test]
async fn a_tool_is_seen_alone_and_read_only_whatever_its_path() {
    if let Err(unavailable) = backend().check().await {
        return testkit::require("userns", &unavailable.to_string());
    }
    for (number, name) in
        ["plain", "a b", "comma,colon:back\\slash", "new\nline", "quote'\"$(id);&", "ü…"].into_iter().enumerate()
    {
        let folder = tempfile::tempdir_in("/tmp").unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let home = folder.path().canonicalize().unwrap().join(name);
        write(&home.join("tool/bin/run"), "#!/bin/sh\necho ran\n", 0o755);
        write(&home.join("single"), "#!/bin/sh\necho single\n", 0o755);
        write(&home.join("secret"), "secret", 0o644);
        let (tool, single) = (home.join("tool"), home.join("single"));
        let launched = backend().launch(&spec(&format!("tools-{number}"), &[&tool, &single])).await.unwrap();
        let run = async |program: &Path| launched.bottle.exec(Exec::new(program)).await.unwrap().stdout;
        assert_eq!(run(&tool.join("bin/run")).await, b"ran\n", "{name:?}");
        assert_eq!(run(&single).await, b"single\n", "{name:?}");
        let look =
            Exec::new("sh").args(["-c", "ls -A \"$1\"; touch \"$1/tool/new\" \"$1/single\" || echo refused", "sh"]).arg(&home);
        let seen = launched.bottle.exec(look).await.unwrap();
        assert_eq!(String::from_utf8_lossy(&seen.stdout), "single\ntool\nrefused\n", "{name:?}: {seen:?}");
        launched.bottle.close().await.unwrap();
    }
}

#[tokio::test]
async fn a_tool_that_is_missing_or_a_way_out_is_refused_by_name() {
    if let Err(unavailable) = backend().check().await {
        return testkit::require("userns", &unavailable.to_string());
    }
    let folder = tempfile::tempdir_in("/tmp").unwrap();
    let (missing, socket) = (folder.path().join("missing"), folder.path().join("socket"));
    let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    write(&missing, "", 0o644);
    for path in [missing.as_path(), socket.as_path(), Path::new("/dev/null")] {
        let spec = spec("tools-bad", &[path]);
        let _ = fs::remove_file(&missing);
        match backend().launch(&spec).await.err() {
            Some(LaunchError::Failed { step, .. }) => assert!(step.contains(path.to_str().unwrap()), "{step}"),
            other => panic!("{}: {other:?}", path.display()),
        }
    }
}

/// What another user does between the look and the launch.
type Swap = fn(&Path);

#[tokio::test]
async fn a_tool_or_image_that_is_swapped_after_it_was_looked_at_is_not_shown() {
    if let Err(unavailable) = backend().check().await {
        return testkit::require("userns", &unavailable.to_string());
    }
    let swaps: [(&str, Swap); 3] = [
        ("a folder above is a link now", |root| {
            fs::rename(root.join("above"), root.join("was")).unwrap();
            symlink(root.join("planted"), root.join("above")).unwrap();
        }),
        ("the place is a link now", |root| {
            fs::rename(root.join("above/tool"), root.join("above/was")).unwrap();
            symlink(root.join("planted/tool"), root.join("above/tool")).unwrap();
        }),
        ("another stands in its place", |root| {
            fs::rename(root.join("above/tool"), root.join("above/was")).unwrap();
            fs::rename(root.join("planted/tool"), root.join("above/tool")).unwrap();
        }),
    ];
    for (what, swap) in swaps {
        for (kind, file) in [("folder", "tool/run"), ("file", "tool"), ("image", "tool/bin/run")] {
            let folder = tempfile::tempdir_in("/tmp").unwrap();
            let root = folder.path().canonicalize().unwrap();
            fs::set_permissions(&root, fs::Permissions::from_mode(0o755)).unwrap();
            write(&root.join("above").join(file), "shown", 0o755);
            write(&root.join("planted").join(file), "planted", 0o755);
            let tool = root.join("above/tool");
            let spec = match kind {
                "image" => BottleSpec { root: RootFs::Folder(HostPlace::look(&tool).unwrap()), ..spec("tools-swapped", &[]) },
                _tool => spec("tools-swapped", &[&tool]),
            };
            swap(&root);
            match backend().launch(&spec).await.err() {
                Some(LaunchError::Failed { step, reason, .. }) => {
                    assert!(step.contains(tool.to_str().unwrap()), "{what}, {kind}: {step}");
                    assert!(reason.contains("something was put in its place"), "{what}, {kind}: {reason}");
                }
                other => panic!("{what}, {kind}: {other:?}"),
            }
        }
    }
}

#[tokio::test]
async fn a_tool_that_only_its_owner_may_read_is_open_to_node() {
    if let Err(unavailable) = backend().check().await {
        return testkit::require("userns", &unavailable.to_string());
    }
    // The folder's file system maps ids of mounts, unless it is an overlay.
    let folder = tempfile::tempdir_in("/var/tmp").unwrap();
    let root = folder.path().canonicalize().unwrap();
    write(&root.join("tool/bin/run"), "#!/bin/sh\ncat \"${0%/bin/run}/lib/part\"\n", 0o700);
    write(&root.join("tool/lib/part"), "ran\n", 0o600);
    write(&root.join("single"), "#!/bin/sh\necho single\n", 0o700);
    write(&root.join("beside"), "secret", 0o600);
    for closed in ["tool", "tool/bin", "tool/lib"] {
        fs::set_permissions(root.join(closed), fs::Permissions::from_mode(0o700)).unwrap();
    }
    let (tool, single) = (root.join("tool"), root.join("single"));
    let launched = match backend().launch(&spec("tools-closed", &[&tool, &single])).await {
        Err(LaunchError::Failed { reason, .. }) if reason.contains("chmod -R go+rX") => {
            return testkit::require("idmap", "this kernel or file system has no mounts with mapped ids");
        }
        launched => launched.unwrap(),
    };
    for (program, said) in [(tool.join("bin/run"), &b"ran\n"[..]), (single.clone(), b"single\n")] {
        let output = launched.bottle.exec(Exec::new(program)).await.unwrap();
        assert_eq!(output.stdout, said, "{output:?}");
    }
    let script = "cd \"$1\"; ls; echo x > tool/lib/part || chmod 644 tool/lib/part || rm single || echo refused";
    let output = launched.bottle.exec(Exec::new("sh").args(["-c", script, "sh"]).arg(&root)).await.unwrap();
    assert_eq!(output.stdout, b"single\ntool\nrefused\n", "{output:?}");
    launched.bottle.close().await.unwrap();
    let after = fs::metadata(root.join("tool/lib/part")).unwrap();
    assert_eq!(
        (after.permissions().mode() & 0o777, std::os::unix::fs::MetadataExt::uid(&after)),
        (0o600, rustix::process::getuid().as_raw())
    );
}
