//! What every backend must do, as tests.
//!
//! ```text
//! // tests/it/main.rs of a backend
//! testkit::conformance!(NativeHarness);
//! ```
//!
//! makes one test of each check in [`CHECKS`]. Each gets a bottle of its own with the [probe](crate::probe) at
//! [`Room::PROBE`], and waits for ends of file, exits and lines of output: the time bounds only end tests that hang.

mod copy_in;
mod copy_names;
mod copy_out;
mod copy_replace;
mod environment;
mod harness;
mod isolation;
mod life;
mod outlet;
mod processes;
mod room;
mod run;
mod screen;
mod streams;
mod terminal;

pub use harness::Harness;
pub use room::{Room, Spawned};
pub use screen::Screen;

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

/// What a single wait may take; for machines that are slow and busy, so it says nothing of speed.
pub const BOUND: Duration = Duration::from_secs(120);

/// One thing that every backend must do.
pub struct Check {
    /// Its name, which is the test's.
    pub name: &'static str,
    run: fn(Room) -> Pin<Box<dyn Future<Output = ()>>>,
}

/// Runs the check called `name` on a backend; the tests that [`crate::conformance!`] makes call this.
///
/// # Panics
/// When the backend does not do what it must.
pub fn run(name: &str, harness: Arc<dyn Harness>) {
    let check = CHECKS.iter().find(|check| check.name == name).expect("a name from the table");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let Some(room) = Room::open(harness).await else { return };
        let ended = tokio::time::timeout(5 * BOUND, (check.run)(room)).await;
        assert!(ended.is_ok(), "{name} did not end within {:?}", 5 * BOUND);
    });
}

/// The table: makes [`CHECKS`] and [`crate::conformance!`] of one list. `$d` is a dollar sign for the inner macro.
macro_rules! checks {
    ($d:tt $($module:ident { $($name:ident,)* })*) => {
        /// All checks.
        pub static CHECKS: &[Check] = &[$($(
            Check { name: stringify!($name), run: |room| Box::pin($module::$name(room)) },
        )*)*];

        /// Makes one test of each conformance check; the argument is an expression that gives a
        /// [`Harness`]($crate::conformance::Harness).
        #[macro_export]
        macro_rules! conformance {
            ($d harness:expr) => {$($(
                #[test]
                fn $name() {
                    $crate::conformance::run(stringify!($name), std::sync::Arc::new($d harness));
                }
            )*)*};
        }
    };
}

checks! { $
    run {
        exit_status_is_the_programs_own,
        death_by_signal_is_128_plus_its_number,
        arguments_are_never_interpreted,
        a_missing_program_is_named,
        what_cannot_be_run_is_no_missing_program,
        impossible_requests_are_refused,
        programs_are_found_on_the_path_of_their_own_environment,
        fifty_programs_run_at_once,
    }
    streams {
        stdout_and_stderr_stay_apart,
        twenty_megabytes_come_out_intact,
        twenty_megabytes_go_in_intact,
        stdin_that_nobody_reads_is_no_error,
        empty_stdin_ends_at_once,
        spawned_streams_are_the_callers_own,
        output_without_end_is_cut_and_its_program_killed,
    }
    environment {
        the_environment_is_ours_and_nothing_of_the_hosts,
        values_of_variables_are_bytes,
        a_program_works_in_the_folder_it_was_given,
        a_missing_folder_is_named,
        users_are_who_they_should_be,
        users_cannot_touch_each_others_files,
    }
    processes {
        a_deadline_kills_the_whole_tree,
        a_deadline_holds_for_spawned_programs,
        a_deadline_may_pass_before_the_program_begins,
        kill_ends_daemons_too,
        exec_ends_although_a_daemon_holds_its_streams,
        a_program_outlives_its_dropped_handle,
        an_exec_that_is_given_up_leaves_no_program,
        signals_reach_the_program,
        the_end_can_be_waited_for_twice,
    }
    terminal {
        a_terminal_has_its_size_and_can_be_resized,
        ctrl_c_interrupts,
        raw_mode_passes_every_key,
        a_terminal_edits_lines_and_ends,
        term_is_passed_on,
        a_terminal_that_is_dropped_hangs_up,
    }
    copy_in {
        files_keep_content_mode_and_time,
        trees_arrive_whole_with_empty_folders,
        the_owner_is_who_was_named,
        set_id_bits_do_not_travel,
        links_inside_a_tree_stay_links,
        links_that_lead_out_are_refused,
        links_that_lead_out_can_be_left_out,
        special_files_are_refused_without_waiting,
        several_members_go_in_one_copy,
        missing_folders_are_made,
        twenty_thousand_files,
        one_file_of_200_megabytes,
    }
    copy_names {
        every_name_goes_in_and_comes_out,
        deep_paths_go_in_and_come_out,
    }
    copy_replace {
        a_copy_replaces_what_stood_there_as_a_whole,
        kinds_replace_each_other,
        a_reader_never_sees_half_a_tree,
        a_source_that_disappeared_is_named_and_nothing_changes,
        one_bad_member_changes_nothing,
        a_planted_link_on_the_way_is_refused,
        a_planted_link_at_the_place_is_replaced_not_followed,
    }
    copy_out {
        what_went_in_comes_out,
        a_single_file_comes_out,
        missing_things_are_named,
        links_come_out_as_links_and_special_files_not_at_all,
        a_sink_that_refuses_ends_the_copy,
        planted_links_do_not_lead_the_host_astray,
        large_files_come_out_whole,
    }
    outlet {
        the_explicit_proxy_is_reached,
        connections_arrive_with_their_destination,
        names_are_asked_for_and_answered,
        nothing_else_leaves,
        waiting_for_arrivals_can_be_cancelled,
        without_an_outlet_nothing_is_reached_and_programs_still_run,
    }
    isolation {
        two_bottles_see_nothing_of_each_other,
        no_secret_is_on_any_command_line,
    }
    life {
        a_bottle_has_its_name_and_what_was_promised,
        closing_twice_is_fine,
        after_close_everything_is_gone,
        close_ends_everything_inside,
        limits_that_cannot_be_held_are_refused,
        running_bottles_are_no_leftovers,
    }
}
