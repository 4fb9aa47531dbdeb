use std::io::{Read as _, Write as _};
use std::os::fd::AsFd as _;

use rustix::pipe::{PipeFlags, pipe_with};

use super::super::copy::{Rest, Step, copy, copy_and, copy_until_closed, first, rest, step};

#[test]
fn what_was_written_before_the_end_arrives_though_a_child_keeps_the_pipe_open() {
    let (from, program) = pipe_with(PipeFlags::CLOEXEC).unwrap();
    let (mut shown, to) = std::io::pipe().unwrap();
    let (ended, done) = pipe_with(PipeFlags::CLOEXEC).unwrap();
    let child = program.try_clone().unwrap();
    let copying = std::thread::spawn(move || copy(&from, &to, &ended));
    std::fs::File::from(program).write_all(&vec![7; 40_000]).unwrap();
    drop(done);
    copying.join().unwrap().unwrap();
    let mut all = Vec::new();
    shown.read_to_end(&mut all).unwrap();
    assert_eq!(all.len(), 40_000);
    drop(child);
}

#[test]
fn nothing_is_copied_of_what_is_not_wanted_after_the_end() {
    let (mut from, mut program) = std::io::pipe().unwrap();
    let (mut shown, to) = std::io::pipe().unwrap();
    let (ended, done) = pipe_with(PipeFlags::CLOEXEC).unwrap();
    let rest = Rest::wanted();
    rest.refuse();
    program.write_all(b"leftover").unwrap();
    drop((done, program));
    copy_and(&rest, &from, &to, &ended).unwrap();
    drop(to);
    let (mut all, mut left) = (String::new(), String::new());
    shown.read_to_string(&mut all).unwrap();
    from.read_to_string(&mut left).unwrap();
    assert_eq!((all.as_str(), left.as_str()), ("", "leftover"));
}

#[test]
fn a_source_that_somebody_else_has_emptied_is_read_on() {
    // Readable to `poll`, then EAGAIN: what a non-blocking descriptor shared with a faster reader looks like.
    let (from, typed) = rustix::net::socketpair(
        rustix::net::AddressFamily::UNIX,
        rustix::net::SocketType::STREAM,
        rustix::net::SocketFlags::NONBLOCK,
        None,
    )
    .unwrap();
    let (mut shown, to) = std::io::pipe().unwrap();
    assert_eq!(step(from.as_fd(), to.as_fd(), &mut [0; 9]).unwrap(), Step::Nothing);
    rustix::io::write(&typed, b"later").unwrap();
    drop(typed);
    let (ended, _done) = std::io::pipe().unwrap();
    copy(&from, &to, &ended).unwrap();
    drop(to);
    let mut all = String::new();
    shown.read_to_string(&mut all).unwrap();
    assert_eq!(all, "later");
}

#[test]
fn a_reader_that_is_gone_ends_the_copy() {
    let (from, mut program) = std::io::pipe().unwrap();
    let (shown, to) = std::io::pipe().unwrap();
    let (ended, _done) = std::io::pipe().unwrap();
    drop(shown);
    program.write_all(b"x").unwrap();
    assert_eq!(copy(&from, &to, &ended).unwrap_err().kind(), std::io::ErrorKind::BrokenPipe);
}

#[test]
fn stdin_is_left_alone_when_the_program_reads_no_more() {
    let (from, mut typed) = std::io::pipe().unwrap();
    let (program, to) = std::io::pipe().unwrap();
    typed.write_all(b"for the next").unwrap();
    drop(program);
    copy_until_closed(&from, &to).unwrap();
    drop(typed);
    let mut left = String::new();
    (&from).read_to_string(&mut left).unwrap();
    assert_eq!(left, "for the next");
}

#[test]
fn what_lies_in_an_ended_programs_pipe_is_all_that_is_passed_on() {
    let (from, mut program) = std::io::pipe().unwrap();
    let (mut shown, to) = std::io::pipe().unwrap();
    rest(&from, &to).unwrap();
    program.write_all(&[7; 9_000]).unwrap();
    rest(&from, &to).unwrap();
    drop(to);
    let mut all = Vec::new();
    shown.read_to_end(&mut all).unwrap();
    assert_eq!(all, [7; 9_000]);
}

#[test]
fn the_first_bytes_pass_and_an_end_is_told() {
    let (from, mut typed) = std::io::pipe().unwrap();
    let (mut program, to) = std::io::pipe().unwrap();
    typed.write_all(b"hello").unwrap();
    assert!(first(&from, &to).unwrap());
    drop(typed);
    assert!(!first(&from, &to).unwrap());
    drop(to);
    let mut all = Vec::new();
    program.read_to_end(&mut all).unwrap();
    assert_eq!(all, b"hello");
}

#[test]
fn the_first_bytes_stay_when_nobody_reads() {
    let (mut from, mut typed) = std::io::pipe().unwrap();
    let (program, to) = std::io::pipe().unwrap();
    typed.write_all(b"mine").unwrap();
    drop((program, typed));
    assert!(!first(&from, &to).unwrap());
    let mut left = String::new();
    from.read_to_string(&mut left).unwrap();
    assert_eq!(left, "mine");
}
