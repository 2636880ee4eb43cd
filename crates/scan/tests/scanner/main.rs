//! The supervisor and the scanning process with real processes, signals and limits. This program is both: started with
//! `scan-process`, it is the scanner, with analysers that do what no analyser should.

mod drills;
mod sandbox;
mod scene;
mod trap;

use std::{env, panic, process::ExitCode};

fn main() -> ExitCode {
    let mut arguments = env::args_os().skip(1);
    if arguments.next().is_some_and(|first| first == scene::SCAN_PROCESS) {
        return scene::scanner(arguments);
    }
    // As with the usual harness: a word selects tests by their names, and `--list` names them.
    let words: Vec<_> = env::args().skip(1).collect();
    let tests = drills::TESTS.iter().chain(sandbox::TESTS);
    let mut failed = 0;
    for (name, test) in tests {
        if words.iter().any(|word| word == "--list") {
            println!("{name}: test");
            continue;
        }
        let mut selecting = words.iter().filter(|word| !word.starts_with('-')).peekable();
        if selecting.peek().is_some() && !selecting.any(|word| name.contains(word.as_str())) {
            continue;
        }
        let result = panic::catch_unwind(test);
        println!("test {name} ... {}", if result.is_ok() { "ok" } else { "FAILED" });
        failed += usize::from(result.is_err());
    }
    ExitCode::from(u8::from(failed > 0))
}
