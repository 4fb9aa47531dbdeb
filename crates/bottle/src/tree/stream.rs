use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rustix::fd::BorrowedFd;
use rustix::io::Errno;
use tar::{EntryType, Header};

/// The size of a tar block, in bytes.
const BLOCK: usize = 512;
/// What is collected before it is written. Half of a pipe's usual capacity (`pipe(7)`): the receiver works on one half while
/// this side fills the other; larger buffers made both wait for each other and were measured to be twice as slow.
const BUFFER: usize = 32 * 1024;
/// The least room that a read is worth.
const READ_ROOM: usize = 16 * 1024;
/// A name's field in the header; longer ones travel in an entry of their own before it.
const NAME_FIELD: usize = 100;

/// Writes tar entries through one buffer into which files are read directly: no copy and no allocation per file's bytes.
pub(super) struct TarStream<'a> {
    out: &'a mut dyn Write,
    buffer: Vec<u8>,
}

/// What a header says beside the name.
pub(super) struct Meta {
    pub(super) kind: EntryType,
    /// Permission bits; others are dropped here.
    pub(super) mode: u32,
    /// Seconds since 1970; earlier times become 0.
    pub(super) mtime: i64,
    /// Bytes that follow.
    pub(super) size: u64,
}

/// Why a file's content did not get into the stream.
pub(super) enum ContentError {
    /// The host file could not be read.
    Read(Errno),
    /// It has more or fewer bytes than its header says.
    Changed,
    /// The stream itself.
    Stream(io::Error),
}

impl<'a> TarStream<'a> {
    pub(super) fn new(out: &'a mut dyn Write) -> Self {
        Self { out, buffer: Vec::with_capacity(BUFFER) }
    }

    /// Writes an entry's header, and what of its name or link target does not fit into it.
    pub(super) fn header(&mut self, name: &[u8], target: &Path, meta: &Meta) -> io::Result<()> {
        let target = target.as_os_str().as_bytes();
        if target.len() > NAME_FIELD {
            self.long(target, EntryType::GNULongLink)?;
        }
        if name.len() > NAME_FIELD {
            self.long(name, EntryType::GNULongName)?;
        }
        self.block(name, target, meta)
    }

    /// Writes bytes that we hold ourselves.
    pub(super) fn content(&mut self, content: &[u8]) -> io::Result<()> {
        if content.len() > self.room() {
            self.flush()?;
        }
        if content.len() > self.room() {
            self.out.write_all(content)?
        } else {
            self.buffer.extend_from_slice(content)
        }
        self.pad(content.len() as u64)
    }

    /// Reads exactly `size` bytes from `file`, to its end.
    pub(super) fn content_of(&mut self, file: BorrowedFd<'_>, size: u64) -> Result<(), ContentError> {
        let mut total: u64 = 0;
        loop {
            let wanted =
                usize::try_from(size.saturating_sub(total)).map_or(READ_ROOM, |left| left.saturating_add(1).min(READ_ROOM));
            if self.room() < wanted {
                self.flush().map_err(ContentError::Stream)?;
            }
            let room = self.room();
            let read = match rustix::io::read(file, rustix::buffer::spare_capacity(&mut self.buffer)) {
                Ok(read) => read,
                Err(Errno::INTR) => continue,
                Err(error) => return Err(ContentError::Read(error)),
            };
            total += read as u64;
            if total > size {
                return Err(ContentError::Changed);
            }
            // A regular file gives less than asked for at its end alone, so the usual small file costs one read.
            if read == 0 || (total == size && read < room) {
                break;
            }
        }
        if total != size {
            return Err(ContentError::Changed);
        }
        self.pad(size).map_err(ContentError::Stream)
    }

    /// Writes the end of the archive: without it the receiver knows that the stream was cut short.
    pub(super) fn finish(mut self) -> io::Result<()> {
        self.zeros(2 * BLOCK)?;
        self.flush()?;
        self.out.flush()
    }

    fn long(&mut self, name: &[u8], kind: EntryType) -> io::Result<()> {
        let meta = Meta { kind, mode: 0o644, mtime: 0, size: name.len() as u64 + 1 };
        self.block(b"././@LongLink", b"", &meta)?;
        self.make_room(name.len() + 1)?;
        self.buffer.extend_from_slice(name);
        self.buffer.push(0);
        self.pad(name.len() as u64 + 1)
    }

    fn block(&mut self, name: &[u8], target: &[u8], meta: &Meta) -> io::Result<()> {
        let mut header = Header::new_gnu();
        if let Some(fields) = header.as_gnu_mut() {
            fill(&mut fields.name, name);
            fill(&mut fields.linkname, target);
        }
        header.set_entry_type(meta.kind);
        header.set_mode(meta.mode & 0o777);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(u64::try_from(meta.mtime).unwrap_or(0));
        header.set_size(meta.size);
        header.set_cksum();
        self.make_room(BLOCK)?;
        self.buffer.extend_from_slice(header.as_bytes());
        Ok(())
    }

    fn pad(&mut self, written: u64) -> io::Result<()> {
        let over = (written % BLOCK as u64) as usize;
        if over == 0 { Ok(()) } else { self.zeros(BLOCK - over) }
    }

    fn zeros(&mut self, count: usize) -> io::Result<()> {
        self.make_room(count)?;
        self.buffer.resize(self.buffer.len() + count, 0);
        Ok(())
    }

    fn make_room(&mut self, bytes: usize) -> io::Result<()> {
        if self.room() < bytes { self.flush() } else { Ok(()) }
    }

    fn room(&self) -> usize {
        self.buffer.capacity() - self.buffer.len()
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.write_all(&self.buffer)?;
        self.buffer.clear();
        Ok(())
    }
}

fn fill(field: &mut [u8; NAME_FIELD], bytes: &[u8]) {
    let length = bytes.len().min(NAME_FIELD);
    field[..length].copy_from_slice(&bytes[..length]);
}
