/// What to do where the system has run out of something, going by the system's words in a failure's text: many failures come as
/// words alone, from a bottle's helper or another session. `None`: nothing has run out.
pub fn hint(text: &str) -> Option<&'static str> {
    // As the standard library and rustix end them; the numbers are Linux's (`errno(3)`), the same on x86-64 and aarch64.
    SHORTAGES.iter().find(|(number, _)| text.contains(&format!("(os error {number})"))).map(|(_, hint)| *hint)
}

const SHORTAGES: [(u8, &str); 4] = [
    (EMFILE, "this process may open no more files: 'ulimit -n' shows how many it may; allow more, such as 'ulimit -n 4096'"),
    (ENFILE, "the whole machine has no more open files to give: end something that holds many, or raise fs.file-max"),
    (ENOSPC, FULL),
    (EDQUOT, FULL),
];
const FULL: &str =
    "make room where it was written: 'df -h' and 'df -i' show which disk is full; a bottle's own room is 'limits.disk'";
const ENFILE: u8 = 23;
const EMFILE: u8 = 24;
const ENOSPC: u8 = 28;
const EDQUOT: u8 = 122;

#[cfg(test)]
mod tests {
    use std::io;

    use rustix::io::Errno;

    use super::hint;

    #[test]
    fn what_has_run_out_is_told_with_what_to_do() {
        for (errno, said) in
            [(Errno::MFILE, "ulimit -n"), (Errno::NFILE, "fs.file-max"), (Errno::NOSPC, "df -h"), (Errno::DQUOT, "limits.disk")]
        {
            for text in [io::Error::from(errno).to_string(), format!("opening x: {errno}")] {
                assert!(hint(&text).is_some_and(|hint| hint.contains(said)), "{text}");
            }
        }
        assert_eq!(hint(&io::Error::from(Errno::ACCESS).to_string()), None);
    }
}
