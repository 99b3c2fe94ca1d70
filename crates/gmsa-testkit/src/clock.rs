//! Clocks that a test moves: libfaketime, loaded into a program.
//!
//! A program started here reads its clock's offset from a file before each look at the clock, so that it
//! can be moved while the program runs. What measures a time that passes (`CLOCK_MONOTONIC`) is left alone:
//! timeouts and timers go on as they should.

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::tools::skip;

/// A clock that is as wrong as the file says.
#[derive(Clone, Serialize, Deserialize)]
pub struct Clock {
    library: PathBuf,
    file: PathBuf,
}

impl Clock {
    /// The library. Without it (Debian's package `faketime`) the test is skipped by name, and fails where
    /// `CI=true`.
    pub fn find(test: &str) -> Option<PathBuf> {
        let name = "faketime/libfaketimeMT.so.1";
        let systems = fs::read_dir("/usr/lib").into_iter().flatten().flatten();
        let found = systems.map(|one| one.path().join(name)).find(|file| file.is_file());
        if found.is_none() {
            skip(test, "no libfaketime; `make domain-controller` installs it");
        }
        found
    }

    /// A clock that is right, with its offset in this file, which is made.
    pub fn new(library: PathBuf, file: PathBuf) -> Self {
        let clock = Self { library, file };
        clock.set(0);
        clock
    }

    /// Moves the clock this many seconds ahead of the right time, or behind it.
    pub fn set(&self, seconds: i64) {
        // In one step: a program that saw half of it would be at another time for a moment.
        let new = self.file.with_extension("new");
        fs::write(&new, format!("{seconds:+}\n")).unwrap();
        fs::rename(&new, &self.file).unwrap();
    }

    /// The environment of a program that goes by this clock, and the programs that it starts.
    pub fn environment(&self) -> [(&'static str, &Path); 5] {
        [
            ("LD_PRELOAD", &self.library),
            ("FAKETIME_TIMESTAMP_FILE", &self.file),
            ("FAKETIME_NO_CACHE", Path::new("1")),
            // One name in older versions, the other in newer ones.
            ("DONT_FAKE_MONOTONIC", Path::new("1")),
            ("FAKETIME_DONT_FAKE_MONOTONIC", Path::new("1")),
        ]
    }
}
