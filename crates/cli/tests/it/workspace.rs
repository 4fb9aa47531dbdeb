//! `workspace:` of a manifest, to its end.

use crate::elsewhere::is_native;
use crate::scene::{SHELL, Scene};

fn scene(workspace: &str) -> Scene {
    Scene::bare()
        .bottle("b", &format!("{SHELL}workspace:\n{workspace}"))
        .agent("a", "bottle: b\n", "")
        .file("project/src/main.rs", "x")
        .file("project/target/debug/x", "x")
        .file("project/web/target/debug/x", "x")
        .file("project/node_modules/x", "x")
        .file("project/web/node_modules/x", "x")
}

#[test]
fn the_workspace_stands_where_the_manifest_says_and_the_command_runs_there() {
    for path in ["/home/node/service", "/srv/deep/my app", "/work"] {
        let scene = scene(&format!("  copy: true\n  path: {path}\n"));
        let ran = scene.script("pwd; cat src/main.rs; touch new && find . src new -maxdepth 0 -printf '%u\n'");
        assert_eq!((ran.code, ran.stdout), (0, format!("{path}\nxnode\nnode\nnode\n")), "{}", ran.stderr);
        let to = format!(":{path}\n");
        assert!(ran.stderr.contains("copying workspace ") && ran.stderr.contains(&to), "{}", ran.stderr);
    }
}

#[test]
fn without_a_copy_the_path_means_nothing() {
    let scene = scene("  path: /srv/app\n");
    assert_eq!(scene.script("pwd; ls /srv/app 2>&1 | wc -l").stdout, "/home/node\n1\n");
}

#[test]
fn names_are_left_out_at_any_depth_and_paths_at_their_place() {
    let scene = scene("  copy: true\n  exclude: [node_modules, target/debug]\n");
    let ran = scene.script("find . -type f | sort");
    assert_eq!(ran.stdout, "./src/main.rs\n./web/target/debug/x\n", "{}", ran.stderr);
}

#[test]
fn a_place_of_the_bottles_own_is_refused_before_anything_is_made() {
    for path in ["/etc", "/usr/bin", "/home/node", "/opt/bot-bottle/bin"] {
        let scene = scene(&format!("  copy: true\n  path: {path}\n"));
        let ran = scene.script("true");
        assert!(ran.code == 125 && ran.stderr.contains("error: workspace.path: ") && ran.stderr.contains(path), "{ran:?}");
        scene.assert_nothing_left();
    }
}

#[test]
fn an_image_that_cannot_be_taken_is_refused_before_anything_is_made() {
    let archive = ("~/root.tar", "an archive cannot be taken");
    let other = if is_native() {
        ("debian:13", "an engine's image name cannot be taken")
    } else {
        ("~/rootfs", "a folder cannot be taken")
    };
    for (image, reason) in [archive, other] {
        let scene = Scene::bare().bottle("b", &format!("{SHELL}  image: {image}\n")).agent("a", "bottle: b\n", "");
        let scene = scene.file("home/root.tar", "").file("home/rootfs/etc/passwd", "");
        let ran = scene.script("true");
        let said = ran.stderr.lines().find(|line| line.starts_with("error: ")).unwrap_or_default();
        assert!(ran.code == 125 && said.starts_with(&format!("error: agent_provider.image: {image}: ")), "{ran:?}");
        assert!(said.contains(reason), "{said}");
        assert!(!crate::scene::exists(&scene.path("home/.bot-bottle/state")), "nothing was made");
    }
}

#[test]
fn a_workspace_that_cannot_fit_is_refused_before_anything_is_made() {
    let scene = Scene::new();
    // A terabyte that costs nothing on the host.
    let giant = std::fs::File::create(scene.path("project/giant")).unwrap();
    giant.set_len(1 << 40).unwrap();
    let ran = scene.run(&["start", "a", "--cwd", "--dry-run"]);
    assert_eq!(ran.code, 125, "{ran:?}");
    assert!(ran.stderr.contains("workspace.exclude") && ran.stderr.contains("1099511627776"), "{ran:?}");
    scene.assert_nothing_left();
}
