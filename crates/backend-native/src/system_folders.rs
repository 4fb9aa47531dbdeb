//! The host's folders that make a bottle's system, and what the person should know of them.

use std::fs;
use std::path::Path;

use crate::mount_table::MountTable;

/// The folders. Some are links to others on most distributions.
pub const SYSTEM: [&str; 10] = ["usr", "bin", "sbin", "lib", "lib32", "lib64", "libx32", "opt", "nix", "gnu"];
/// A folder with something mounted below it is put together from its entries when it has no more than these. A larger one is
/// bound, and its folders are covered.
pub const FEW: usize = 64;
/// The most folders of one folder that are covered: each costs a mount, some of the kernel's memory and a tenth of a millisecond.
pub const MANY: usize = 1024;

/// What is weaker in the bottle than it could be, because of what is mounted where.
pub fn remarks(table: &MountTable) -> Vec<String> {
    let mut remarks = Vec::new();
    for folder in SYSTEM.iter().map(|name| Path::new("/").join(name)) {
        if !fs::symlink_metadata(&folder).is_ok_and(|metadata| metadata.is_dir()) {
            continue;
        }
        for mount in table.below(&folder) {
            let at = mount.at.display();
            let above = mount.at.ancestors().skip(1).take_while(|above| above.starts_with(&folder));
            for large in above.filter(|above| is_large(above)) {
                let shown = large.display();
                remarks.push(format!(
                    "{shown} is read-only in the bottle, and a program there can lock its files, because {at} is mounted below it"
                ));
            }
            if !table.holds_programs(mount) && mount.at.is_dir() {
                remarks.push(format!(
                    "{at} is empty in the bottle: what is mounted there is no file system of its own for programs"
                ));
            }
        }
    }
    remarks.sort();
    remarks.dedup_by(|one, other| one.split(" is ").next() == other.split(" is ").next());
    remarks
}

fn is_large(folder: &Path) -> bool {
    fs::read_dir(folder).is_ok_and(|entries| entries.take(FEW + 1).count() > FEW)
}
