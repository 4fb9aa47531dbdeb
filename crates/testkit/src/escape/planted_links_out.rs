//! Plants links, devices and special files in a folder that the host is about to copy out.

use std::fs;

use bottle::tree::{HostFolder, SinkLimits};
use bottle::{GuestPath, User};

use super::{Arena, CanaryFile};

const PLANT: &str = r#"
canary = sys.argv[1]
os.makedirs("/tmp/out/deep")
os.chdir("/tmp/out")
for number, target in enumerate((canary, "/etc/shadow", "/proc/1/root", "/proc/1/environ", "/proc/self/exe", "../../../../../../tmp",
                                 "deep/../../../../..", "/dev/zero")):
    os.symlink(target, f"link-{number}")
os.symlink(os.path.dirname(canary), "folder")
os.mkfifo("fifo")
socket.socket(socket.AF_UNIX).bind("socket")
open("file", "w").write("content")
os.link("file", "deep/hard")
open("deep/set-id", "w").close()
os.chmod("deep/set-id", 0o6777)
tried = 1
"#;

/// Only what lies in the folder comes out; nothing is followed on the host, and nothing written beside the place.
pub async fn planted_links_out(arena: &Arena) {
    let canary = CanaryFile::plant(std::path::Path::new("/tmp")).expect("a canary in /tmp");
    let subject = arena.bottle().await;
    subject.attack_as(User::Node, PLANT, &[&canary.path().display().to_string()]).await;
    let folder = tempfile::tempdir().expect("a folder");
    let place = folder.path().join("out");
    let mut sink = HostFolder::create(&place, SinkLimits { entries: 1000, bytes: 1 << 20 }).expect("a sink");
    subject.bottle.cp_out(&GuestPath::parse("/tmp/out").expect("a legal path"), &mut sink).await.expect("the copy");
    let mut names: Vec<_> = fs::read_dir(&place).expect("the copy").map(|entry| entry.expect("an entry").file_name()).collect();
    names.sort();
    assert_eq!(names, ["deep", "file"], "links that lead out, FIFOs and sockets stay behind");
    assert_eq!(fs::read(place.join("deep/hard")).expect("the hard link's content"), b"content");
    let mode = std::os::unix::fs::MetadataExt::mode(&fs::metadata(place.join("deep/set-id")).expect("the file"));
    assert_eq!(mode & 0o7000, 0, "no set-id bit comes out");
    assert_eq!(fs::read_dir(folder.path()).expect("the folder").count(), 1, "nothing beside the place");
    canary.assert_untouched();
}
