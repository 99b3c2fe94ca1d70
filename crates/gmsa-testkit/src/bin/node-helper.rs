//! What a cluster of one node needs beside Kubernetes (scripts/node.sh), in one static program without
//! dependencies.
//!
//! ```text
//! node-helper pause                         waits until it is ended: the pause container
//! node-helper dial SOCKET                   connects clients that write "ADDRESS\n" to that address
//! node-helper forward SOCKET ADDRESS FILE   listens on a port of 127.0.0.1, which it writes to FILE, and
//!                                           passes connections through a `dial` to ADDRESS; ends with it
//! ```
//!
//! Called by another name it stands for a program of Windows: it answers with what the test put into
//! `/answers`. The files of a command line are named after it, each character but letters and digits as `_`,
//! and after the number of the call: `NAME.0.out`, `NAME.0.err`, `NAME.0.code`, and `NAME.0.hangs` for a
//! command that does not end. The last answer is given again and again.
#![allow(clippy::print_stderr, reason = "that is where a program of a test reports")]

use std::ffi::OsStr;
use std::io::{self, BufRead as _, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;
use std::{env, fs, process, thread};

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let name = arguments.first().map(|path| Path::new(path).file_name().unwrap_or(OsStr::new("")));
    let done = match (name.and_then(OsStr::to_str), arguments.get(1..).unwrap_or_default()) {
        (Some("node-helper"), ["pause"]) => wait(),
        (Some("node-helper"), ["dial", socket]) => dial(socket),
        (Some("node-helper"), ["forward", socket, address, file]) => forward(socket, address, file),
        (Some("node-helper") | None, _) => {
            eprintln!("usage: node-helper pause | dial SOCKET | forward SOCKET ADDRESS FILE");
            return ExitCode::from(2);
        }
        (Some(name), arguments) => return answer(&[&[name], arguments].concat().join(" ")),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{}: {error}", arguments.join(" "));
            ExitCode::FAILURE
        }
    }
}

fn wait() -> ! {
    loop {
        thread::sleep(Duration::from_hours(1));
    }
}

fn dial(socket: &str) -> io::Result<()> {
    for client in UnixListener::bind(socket)?.incoming() {
        let client = client?;
        thread::spawn(move || {
            let mut address = String::new();
            // One byte at a time: what follows the line is the other side's.
            let mut line = BufReader::with_capacity(1, &client);
            if line.read_line(&mut address).is_err() {
                return;
            }
            // A client that wants no address waits for the end of this process.
            let Ok(server) = TcpStream::connect(address.trim_end()) else { return };
            let (Ok(from_client), Ok(from_server)) = (client.try_clone(), server.try_clone())
            else {
                return;
            };
            splice((from_client, client, close_unix), (from_server, server, close_tcp));
        });
    }
    Ok(())
}

fn forward(socket: &str, address: &str, file: &str) -> io::Result<()> {
    let mut watched = UnixStream::connect(socket)?;
    thread::spawn(move || {
        // Nothing comes before the end.
        let _end = watched.read(&mut [0]);
        process::exit(0);
    });
    let listener = TcpListener::bind("127.0.0.1:0")?;
    fs::write(file, listener.local_addr()?.port().to_string())?;
    for client in listener.incoming() {
        let client = client?;
        let mut server = UnixStream::connect(socket)?;
        server.write_all(format!("{address}\n").as_bytes())?;
        let (from_client, from_server) = (client.try_clone()?, server.try_clone()?);
        thread::spawn(move || {
            splice((from_client, client, close_tcp), (from_server, server, close_unix));
        });
    }
    Ok(())
}

/// One side of a connection: to read, to write, and how to say that nothing more will be written.
type Side<R, W> = (R, W, fn(&W));

/// Passes bytes both ways until both sides are done.
fn splice<A, B, C, D>(one: Side<A, B>, other: Side<C, D>)
where
    A: Read + Send + 'static,
    B: Write + Send + 'static,
    C: Read,
    D: Write + Send + 'static,
{
    let (mut from_one, mut to_one, close_one) = one;
    let (mut from_other, mut to_other, close_other) = other;
    let there = thread::spawn(move || {
        // A side that is gone is as good as one that is done.
        let _copied = io::copy(&mut from_one, &mut to_other);
        close_other(&to_other);
    });
    let _copied = io::copy(&mut from_other, &mut to_one);
    close_one(&to_one);
    let _ended = there.join();
}

fn close_tcp(stream: &TcpStream) {
    let _closed_already = stream.shutdown(Shutdown::Write);
}

fn close_unix(stream: &UnixStream) {
    let _closed_already = stream.shutdown(Shutdown::Write);
}

/// Writes what the test says that this command line writes.
fn answer(command: &str) -> ExitCode {
    let name: String =
        command.chars().map(|one| if one.is_ascii_alphanumeric() { one } else { '_' }).collect();
    let counter = format!("/tmp/{name}");
    let called = fs::read_to_string(&counter).unwrap_or_default().len();
    let answers = Path::new("/answers");
    let there = |call: usize| answers.join(format!("{name}.{call}.code")).exists();
    let Some(call) = (0..=called).rev().find(|call| there(*call)) else {
        eprintln!("no answer to {command:?} in {}", answers.display());
        return ExitCode::from(99);
    };
    let _uncounted = fs::write(&counter, "x".repeat(called.saturating_add(1)));
    if answers.join(format!("{name}.{call}.hangs")).exists() {
        wait();
    }
    let part = |kind: &str| fs::read(answers.join(format!("{name}.{call}.{kind}")));
    let _reader_is_gone = io::stdout().write_all(&part("out").unwrap_or_default());
    let _reader_is_gone = io::stderr().write_all(&part("err").unwrap_or_default());
    let code = part("code").unwrap_or_default();
    ExitCode::from(String::from_utf8_lossy(&code).trim().parse().unwrap_or(98))
}
