#!/usr/bin/env bash
# clap 4.6.9 (crates.io): `args_override_self(true)` and an option that takes a list.
#
# One would guess: the setting does for every argument what `overrides_with` of its own name does, as its
# documentation says, so the last of `--port 1 --port 2` wins, and the last of `--name a --name b` too: a
# wrapper's default is replaced by the user's flag.
# Seen: of a single value, yes. A list (ArgAction::Append, with a delimiter or not) is appended to: [a, b];
# with `overrides_with` of the argument itself it is replaced: [b].
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
mkdir src
cat > Cargo.toml <<'TOML'
[package]
name = "lists"
version = "0.0.0"
edition = "2024"

[dependencies]
clap = "=4.6.9"
TOML
cat > src/main.rs <<'RUST'
use clap::{Arg, ArgAction, Command};

fn lists(command: Command) -> Vec<Vec<String>> {
    let given = ["lists", "--port", "1", "--port", "2", "--name", "a", "--name", "b", "--part", "c,d", "--part", "e"];
    let matches = command.try_get_matches_from(given).unwrap();
    let of = |id: &str| matches.get_many::<String>(id).unwrap().cloned().collect();
    ["port", "name", "part"].map(of).into()
}

fn main() {
    let port = || Arg::new("port").long("port");
    let name = || Arg::new("name").long("name").action(ArgAction::Append);
    let part = || Arg::new("part").long("part").action(ArgAction::Append).value_delimiter(',');
    let setting = Command::new("lists").args_override_self(true).args([port(), name(), part()]);
    println!("args_override_self: {:?}", lists(setting));
    let each = Command::new("lists").args([
        port().overrides_with("port"),
        name().overrides_with("name"),
        part().overrides_with("part"),
    ]);
    println!("overrides_with:     {:?}", lists(each));
}
RUST
cargo run --quiet | tee seen
diff - seen <<'SEEN'
args_override_self: [["2"], ["a", "b"], ["c", "d", "e"]]
overrides_with:     [["2"], ["b"], ["e"]]
SEEN
