//! A folder as the root file system.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use bottle::tree::Source;
use bottle::{
    Backend, BottleName, BottleSpec, Exec, GuestPath, HostPlace, LaunchError, Launched, Limits, RootFs, Tree, TreePath, User,
};

use crate::backend::backend;

/// A smallest image: a shell and the libraries that it needs.
struct Image {
    folder: tempfile::TempDir,
}

impl Image {
    fn make() -> Self {
        let image = Self { folder: tempfile::tempdir_in("/tmp").unwrap() };
        fs::set_permissions(image.folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        image.add(Path::new("/bin/sh"));
        for library in libraries("/bin/sh") {
            image.add(&library);
        }
        image
    }

    /// Copies a host file to the same path, as a file of its own.
    fn add(&self, path: &Path) {
        let place = self.folder.path().join(path.strip_prefix("/").unwrap());
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        fs::copy(path, place).unwrap();
    }

    async fn launch(&self, name: &str) -> Result<Launched, LaunchError> {
        let root = RootFs::Folder(HostPlace::look(self.folder.path()).unwrap());
        backend()
            .launch(&BottleSpec { name: BottleName::parse(name).unwrap(), root, tools: Vec::new(), limits: Limits::default() })
            .await
    }
}

#[allow(clippy::disallowed_methods, reason = "asking the loader what a program needs")]
fn libraries(program: &str) -> Vec<PathBuf> {
    let output = std::process::Command::new("ldd").arg(program).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.split_whitespace().filter(|word| word.starts_with('/')).map(PathBuf::from).collect()
}

async fn can_run() -> bool {
    match backend().check().await {
        Ok(_) => true,
        Err(unavailable) => {
            testkit::require("userns", &unavailable.to_string());
            false
        }
    }
}

#[tokio::test]
async fn an_image_folder_is_the_root_and_stays_as_it_was() {
    if !can_run().await {
        return;
    }
    let image = Image::make();
    fs::create_dir(image.folder.path().join("etc")).unwrap();
    symlink("/etc/shadow", image.folder.path().join("etc/resolv.conf")).unwrap();
    std::os::unix::net::UnixListener::bind(image.folder.path().join("agent.sock")).unwrap();
    let launched = image.launch("image-1").await.unwrap();
    let script = "echo changed > /etc/new || exit 1; echo changed > /home/node/new || exit 2; [ ! -e /usr/bin/python3 ] || exit 3; \
                  [ ! -L /etc/resolv.conf ] || exit 4; while read word rest; do echo $word; done < /etc/resolv.conf";
    let exec = Exec::new("/bin/sh").args(["-c", script]).user(bottle::User::Root);
    let output = launched.bottle.exec(exec).await.unwrap();
    if output.status.code() == 2 {
        // Root's files and node's are apart: it may write to /etc alone.
        assert_eq!(launched.bottle.capabilities().users, bottle::Users::Separate);
    } else {
        assert_eq!(
            (output.status.code(), output.stdout.as_slice()),
            (0, b"nameserver\noptions\n".as_slice()),
            "no search domains: {output:?}"
        );
    }
    launched.bottle.close().await.unwrap();
    assert!(!image.folder.path().join("etc/new").exists() && !image.folder.path().join("home").exists());
    assert_eq!(fs::read_link(image.folder.path().join("etc/resolv.conf")).unwrap(), Path::new("/etc/shadow"));
}

#[tokio::test]
async fn an_image_whose_folders_are_links_to_the_host_is_refused() {
    if !can_run().await {
        return;
    }
    for (number, name) in ["etc", "home", "dev", "proc", "tmp", "var"].into_iter().enumerate() {
        let image = Image::make();
        let target = tempfile::tempdir_in("/tmp").unwrap();
        symlink(target.path(), image.folder.path().join(name)).unwrap();
        let refused = image.launch(&format!("image-link-{number}")).await.err();
        let Some(LaunchError::Failed { step, .. }) = refused else { panic!("{name}: {refused:?}") };
        assert!(step.contains(name), "{name}: {step}");
        assert_eq!(fs::read_dir(target.path()).unwrap().count(), 0, "{name}: something was written through the link");
    }
}

#[tokio::test]
async fn archives_and_images_are_refused_with_what_to_do() {
    let archive = tempfile::NamedTempFile::new().unwrap();
    for root in [RootFs::Archive(HostPlace::look(archive.path()).unwrap()), RootFs::Image("debian:13".to_owned())] {
        let spec = BottleSpec { name: BottleName::parse("image-2").unwrap(), root, tools: Vec::new(), limits: Limits::default() };
        match backend().launch(&spec).await.err() {
            Some(LaunchError::Unsupported { reason, .. }) => assert!(reason.contains("folder"), "{reason}"),
            Some(LaunchError::Unavailable(unavailable)) => return testkit::require("userns", &unavailable.to_string()),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn certificates_go_into_an_image_whose_folders_for_them_are_links() {
    if !can_run().await {
        return;
    }
    let image = Image::make();
    let etc = image.folder.path().join("etc");
    fs::create_dir_all(etc.join("pki/ca-trust/extracted/pem")).unwrap();
    fs::create_dir(etc.join("ssl")).unwrap();
    symlink("../pki/tls/certs", etc.join("ssl/certs")).unwrap();
    symlink("/nowhere/at/all", etc.join("pki/tls")).unwrap();
    fs::write(etc.join("pki/ca-trust/extracted/pem/tls-ca-bundle.pem"), "the image's").unwrap();
    let launched = image.launch("image-certificates").await.unwrap();
    let places = ["ssl/certs/ca-certificates.crt", "pki/tls/certs/ca-bundle.crt", "pki/ca-trust/extracted/pem/tls-ca-bundle.pem"];
    let tree = places.iter().fold(Tree::new(), |tree, place| {
        tree.with(TreePath::parse(place).unwrap(), Source::File { content: b"ours".to_vec(), mode: 0o644 })
    });
    launched.bottle.cp_in(&tree, &GuestPath::parse("/etc").unwrap(), User::Root).await.unwrap();
    let script = format!("cd /etc; for file in {}; do read -r line < $file; echo \"$line\"; done", places.join(" "));
    let output = launched.bottle.exec(Exec::new("/bin/sh").args(["-c", &script])).await.unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "ours\nours\nours\n");
    launched.bottle.close().await.unwrap();
    assert_eq!(fs::read_link(etc.join("ssl/certs")).unwrap(), Path::new("../pki/tls/certs"));
}

#[tokio::test]
async fn what_a_failed_copy_covered_of_an_image_is_there_again() {
    if !can_run().await {
        return;
    }
    let image = Image::make();
    let data = image.folder.path().join("root");
    fs::create_dir_all(data.join("folder/deep")).unwrap();
    for file in ["file", "folder/one", "folder/deep/two"] {
        fs::write(data.join(file), format!("the image's {file}\n")).unwrap();
        fs::set_permissions(data.join(file), fs::Permissions::from_mode(0o604)).unwrap();
    }
    symlink("deep/two", data.join("folder/link")).unwrap();
    let launched = image.launch("image-undo").await.unwrap();
    let bottle = launched.bottle;
    let file = || Source::File { content: b"ours".to_vec(), mode: 0o644 };
    let at = |path: &str| TreePath::parse(path).unwrap();
    // A folder of somebody whom the bottle does not know is covered by nothing; it stays as it is.
    let ours = bottle.exec(Exec::new("/bin/sh").args(["-c", "[ -O /root/folder ]"]).user(User::Root)).await.unwrap();
    let covered = if ours.status.success() { &["file", "folder", "new"][..] } else { &["file", "new"] };
    // The last one wants a folder where the one before it has put a file.
    let tree = covered.iter().chain(&["new/below"]).fold(Tree::new(), |tree, path| tree.with(at(path), file()));
    let into = GuestPath::parse("/root").unwrap();
    let refused = bottle.cp_in(&tree, &into, User::Root).await.unwrap_err().to_string();
    assert!(refused.contains("/root/new/below"), "{refused}");
    let script = "cd /root; for file in file folder/one folder/link; do read -r line < $file; echo \"$line\"; done; \
                  [ ! -e new ] && [ ! -x folder/one ] && [ -L folder/link ] && for left in .[!.]* *; do echo $left; done";
    let output = bottle.exec(Exec::new("/bin/sh").args(["-c", script]).user(User::Root)).await.unwrap();
    let expected = "the image's file\nthe image's folder/one\nthe image's folder/deep/two\n.[!.]*\nfile\nfolder\n";
    assert_eq!(String::from_utf8_lossy(&output.stdout), expected, "{output:?}");
    // Without the member that fails all are replaced.
    let tree = covered.iter().fold(Tree::new(), |tree, path| tree.with(at(path), file()));
    bottle.cp_in(&tree, &into, User::Root).await.unwrap();
    let script = format!("cd /root; for file in {}; do read -r line < $file; echo \"$line\"; done", covered.join(" "));
    let output = bottle.exec(Exec::new("/bin/sh").args(["-c", &script]).user(User::Root)).await.unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "ours\n".repeat(covered.len()), "{output:?}");
    bottle.close().await.unwrap();
}
