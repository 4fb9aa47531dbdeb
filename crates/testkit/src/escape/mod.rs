//! Attacks on a bottle, carried out for real: what a compromised agent would try.
//!
//! One attack is one file with one function; [`escape_suite!`](crate::escape_suite) makes a test of each for a backend. They know
//! only the contract and the host that they run on. Each says what it tries in a Python script, runs it as `node` and as the
//! bottle's root, demands that every attempt is *refused* (not merely without effect), and looks at the host afterwards.

mod arena;
mod canary_file;
mod subject;
mod victim;

pub use arena::Arena;
pub use canary_file::{CanaryFile, Fingerprint};
pub use subject::{Subject, program};
pub use victim::Victim;

mod address_spellings;
mod busy_loop;
mod daemon;
mod datagrams;
mod descriptor_flood;
mod devices;
mod disk_hog;
mod every_port;
mod foreign_calls;
mod fork_bomb;
mod helper_overwritten;
mod host_environment;
mod host_files;
mod host_processes;
mod host_sockets;
mod inode_hog;
mod kernel_interfaces;
mod kernel_memory;
mod kernel_settings;
mod kill_helper;
mod leaked_descriptors;
mod loopback_services;
mod magic_links;
mod magic_links_out;
mod memory_hog;
mod modules;
mod mounts;
mod namespaces;
mod neighbours;
mod outlet_ports;
mod personality;
mod planted_canaries;
mod planted_links_in;
mod planted_links_out;
mod setuid_programs;
mod socket_families;
mod sparse_giant;
mod stopped_start;
mod swapped_folder;
mod terminal_injection;
mod tool_sockets;
mod trace_helper;
mod traced_by_helper;
mod zombie_flood;

pub use address_spellings::address_spellings;
pub use busy_loop::busy_loop;
pub use daemon::daemon;
pub use datagrams::datagrams;
pub use descriptor_flood::descriptor_flood;
pub use devices::devices;
pub use disk_hog::disk_hog;
pub use every_port::{every_port, foreign_addresses};
pub use foreign_calls::foreign_calls;
pub use fork_bomb::fork_bomb;
pub use helper_overwritten::helper_overwritten;
pub use host_environment::host_environment;
pub use host_files::host_files;
pub use host_processes::host_processes;
pub use host_sockets::host_sockets;
pub use inode_hog::inode_hog;
pub use kernel_interfaces::kernel_interfaces;
pub use kernel_memory::kernel_memory;
pub use kernel_settings::kernel_settings;
pub use kill_helper::kill_helper;
pub use leaked_descriptors::leaked_descriptors;
pub use loopback_services::loopback_services;
pub use magic_links::magic_links;
pub use magic_links_out::magic_links_out;
pub use memory_hog::memory_hog;
pub use modules::modules;
pub use mounts::mounts;
pub use namespaces::namespaces;
pub use neighbours::{neighbours, neighbours_outlets};
pub use outlet_ports::outlet_ports;
pub use personality::personality;
pub use planted_canaries::planted_canaries;
pub use planted_links_in::planted_links_in;
pub use planted_links_out::planted_links_out;
pub use setuid_programs::setuid_programs;
pub use socket_families::socket_families;
pub use sparse_giant::sparse_giant;
pub use stopped_start::stopped_start;
pub use swapped_folder::swapped_folder;
pub use terminal_injection::terminal_injection;
pub use tool_sockets::tool_sockets;
pub use trace_helper::trace_helper;
pub use traced_by_helper::traced_by_helper;
pub use zombie_flood::zombie_flood;

/// The table of all attacks: one test for each, on the arena that `$arena` opens (an `async` expression that gives an
/// `Option<Arena>`; `None` skips).
#[macro_export]
macro_rules! escape_suite {
    ($arena:expr) => {
        $crate::escape_suite! { @tests $arena;
            // files
            host_files planted_canaries devices magic_links helper_overwritten leaked_descriptors kernel_settings kernel_memory
            host_environment tool_sockets
            // processes and the kernel
            host_processes trace_helper traced_by_helper kill_helper stopped_start namespaces mounts modules kernel_interfaces foreign_calls personality
            setuid_programs terminal_injection daemon neighbours
            // network
            socket_families host_sockets loopback_services every_port foreign_addresses address_spellings datagrams
            outlet_ports neighbours_outlets
            // copies
            planted_links_in swapped_folder planted_links_out magic_links_out sparse_giant
            // resources
            fork_bomb zombie_flood memory_hog disk_hog inode_hog descriptor_flood busy_loop
        }
    };
    (@tests $arena:expr; $($attack:ident)*) => {
        $(
            #[tokio::test]
            async fn $attack() {
                if let Some(arena) = $arena.await {
                    $crate::escape::$attack(&arena).await;
                }
            }
        )*
    };
}
