//! An analyser that does what the name of the file says.

use std::{fs, hint::black_box, net::TcpListener, process};

use guardhouse_packages::Package;
use guardhouse_scan::{Analyser, Candidate, Found, Interest, Project, ScannedFile};

/// Tells each file as a package; the version says how a forbidden thing went.
pub struct Trap;

impl Analyser for Trap {
    fn name(&self) -> &'static str {
        "trap"
    }

    fn project(&self) -> Project {
        Project::Vul
    }

    fn interest(&self, _candidate: &Candidate<'_>) -> Interest {
        Interest::Reads
    }

    fn look(&self, file: &mut ScannedFile<'_>, found: &mut dyn FnMut(Found)) {
        let name = String::from_utf8_lossy(file.path().name()).into_owned();
        let version = act(&name);
        let package = Package { name: file.path().to_string(), version, ..Package::default() };
        found(Found::Package { format: "trap", package: Box::new(package) });
    }
}

fn act(name: &str) -> String {
    match name {
        "abort" => process::abort(),
        "panic" => panic!("as its name says"),
        "spin" => loop {
            black_box(());
        },
        "hang" => loop {
            std::thread::park();
        },
        "devour" => {
            let mut eaten = Vec::new();
            loop {
                eaten.push(black_box(vec![1_u8; 16 << 20]));
            }
        }
        "recurse" => recurse(0).to_string(),
        "exec" => outcome(process::Command::new("/bin/true").status()),
        "listen" => outcome(TcpListener::bind("127.0.0.1:0")),
        "read-passwd" => outcome(fs::read("/etc/passwd")),
        "list-home" => outcome(fs::read_dir("/root").or_else(|_| fs::read_dir("/home"))),
        "read-target" => outcome(fs::File::open(std::env::args_os().next_back().unwrap_or_default())),
        "new-temporary" => outcome(tempfile::tempfile()),
        "write-outside" => outcome(fs::write("/tmp/guardhouse-was-here", "")),
        "write-target" => outcome(fs::write(std::env::args().next_back().unwrap_or_default() + "/new", "")),
        "write-scratch" => {
            let scratch = std::env::var("TMPDIR").unwrap_or_default();
            outcome(fs::write(scratch + "/file", "").and_then(|()| tempfile::tempfile()))
        }
        _ => String::new(),
    }
}

fn outcome<T>(result: std::io::Result<T>) -> String {
    match result {
        Ok(_) => "done".to_owned(),
        Err(error) => error.kind().to_string(),
    }
}

fn recurse(depth: u64) -> u64 {
    if depth == u64::MAX {
        return 0;
    }
    let bytes = black_box([depth; 64]);
    recurse(depth + 1) + bytes.iter().sum::<u64>()
}
