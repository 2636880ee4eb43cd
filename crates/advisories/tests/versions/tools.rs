//! The same pairs, compared by the ecosystems' own tools: those that `scripts/test` installs must be there, a test with
//! another one says that it skips.

use std::cmp::Ordering;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use guardhouse_advisories::version::compare;
use guardhouse_packages::Kind;

use crate::generate::pairs;

/// A pair in a line, with a tab between; the answer is a line of `-1`, `0`, `1`, or `refused`.
fn agree(kind: Kind, count: usize, command: &mut Command) {
    let pairs = pairs(kind, count);
    let input = pairs.iter().fold(String::new(), |mut input, (left, right)| {
        let _ = writeln!(input, "{left}\t{right}");
        input
    });
    let output = run(command, &input);
    let answers: Vec<&str> = output.split_whitespace().collect();
    assert_eq!(answers.len(), pairs.len(), "an answer for every pair");
    let mut differences = String::new();
    for ((left, right), theirs) in pairs.iter().zip(answers) {
        let ours = match compare(kind, left, right) {
            Ok(Ordering::Less) => "-1",
            Ok(Ordering::Equal) => "0",
            Ok(Ordering::Greater) => "1",
            Err(_) => "refused",
        };
        if ours != theirs {
            let _ = writeln!(differences, "{left} {right}: {ours}, the tool says {theirs}");
        }
    }
    assert!(differences.is_empty(), "{kind}:\n{differences}");
}

/// Runs a tool on a text, and returns what it says.
fn run(command: &mut Command, input: &str) -> String {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{:?}: {error}; scripts/test installs it", command.get_program()));
    let mut stdin = child.stdin.take().expect("it was piped");
    let input = input.to_owned();
    let writer = std::thread::spawn(move || stdin.write_all(input.as_bytes()));
    let output = child.wait_with_output().expect("the child ends");
    // A tool that ended early fails below.
    let _ = writer.join();
    assert!(output.status.success(), "{:?} ended with {}", command.get_program(), output.status);
    String::from_utf8(output.stdout).expect("the answers are text")
}

/// Whether a program answers; says so when not.
fn is_here(program: &str, argument: &str) -> bool {
    let here =
        Command::new(program).arg(argument).stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok();
    if !here {
        eprintln!("SKIPPED: there is no {program}");
    }
    here
}

#[test]
fn dpkg() {
    // A process or two for every pair: fewer of them. It ends with 2 where it refuses a version, and only warns of others.
    let script = r#"while IFS=$(printf '\t') read -r left right; do
        dpkg --compare-versions "$left" lt "$right" 2>/dev/null
        case $? in
            0) echo -1 ;;
            1) dpkg --compare-versions "$left" eq "$right" 2>/dev/null && echo 0 || echo 1 ;;
            *) echo refused ;;
        esac
    done"#;
    agree(Kind::Deb, 600, Command::new("sh").args(["-c", script]));
}

#[test]
fn rpm() {
    let script = r#"%{lua: for line in io.lines("/dev/stdin") do
        local left, right = line:match("^(.*)\t(.*)$")
        print(rpm.vercmp(left, right), "\n")
    end}"#;
    agree(Kind::Rpm, 4000, Command::new("rpm").args(["--eval", script]));
}

#[test]
fn python() {
    // `packaging`, or pip's own copy of it, or that in the pip that comes with Python.
    let script = r#"
import glob, os, sys
try:
    from packaging.version import Version, InvalidVersion
except ImportError:
    import ensurepip
    bundled = os.path.join(os.path.dirname(ensurepip.__file__), "_bundled", "pip-*.whl")
    sys.path[:0] = glob.glob("/usr/share/python-wheels/pip-*.whl") + glob.glob(bundled)
    from pip._vendor.packaging.version import Version, InvalidVersion
for line in sys.stdin:
    left, right = line.rstrip("\n").split("\t")
    try:
        left, right = Version(left), Version(right)
        print((left > right) - (left < right))
    except InvalidVersion:
        print("refused")
"#;
    agree(Kind::Pypi, 4000, Command::new("python3").args(["-c", script]));
}

#[test]
fn ruby() {
    let script = r#"
STDIN.each_line do |line|
  left, right = line.chomp.split("\t", -1)
  if Gem::Version.correct?(left) && Gem::Version.correct?(right)
    puts Gem::Version.new(left) <=> Gem::Version.new(right)
  else
    puts "refused"
  end
end
"#;
    agree(Kind::Gem, 4000, Command::new("ruby").args(["-e", script]));
}

#[test]
fn node() {
    if !is_here("node", "--version") || !is_here("npm", "--version") {
        return;
    }
    // Node's own `semver` is where npm is.
    let script = r#"
const { execSync } = require("child_process");
const { readFileSync } = require("fs");
const root = execSync("npm root --global").toString().trim();
let semver;
for (const place of [root + "/npm/node_modules/semver", "/usr/share/nodejs/semver"]) {
  try { semver = require(place); break; } catch {}
}
for (const line of readFileSync(0, "utf8").trimEnd().split("\n")) {
  const [left, right] = line.split("\t");
  const valid = semver.valid(left, true) && semver.valid(right, true);
  console.log(valid ? semver.compare(left, right, true) : "refused");
}
"#;
    agree(Kind::Npm, 4000, Command::new("node").args(["-e", script]));
    // Strictly read, the order is Cargo's too.
    agree(Kind::Cargo, 4000, Command::new("node").args(["-e", script]));
}

#[test]
fn composer() {
    let autoload = "/usr/share/php/Composer/Semver/autoload.php";
    if !is_here("php", "--version") {
        return;
    }
    if !Path::new(autoload).exists() {
        eprintln!("SKIPPED: there is no {autoload} (php-composer-semver)");
        return;
    }
    let script = format!(
        r#"
require '{autoload}';
$parser = new Composer\Semver\VersionParser();
while (($line = fgets(STDIN)) !== false) {{
    [$left, $right] = explode("\t", rtrim($line, "\n"));
    try {{
        echo version_compare($parser->normalize($left), $parser->normalize($right)), "\n";
    }} catch (UnexpectedValueException $error) {{
        echo "refused\n";
    }}
}}
"#
    );
    agree(Kind::Composer, 4000, Command::new("php").args(["-r", &script]));
}

#[test]
fn maven() {
    // The order of 3.8: that of 3.9 differs where a digit follows a qualifier after a hyphen.
    let jars = std::fs::read_dir("/usr/share/java").into_iter().flatten().flatten().map(|entry| entry.path());
    let is_ours = |name: &str| name.starts_with("maven3-artifact-3.8.");
    let Some(jar) =
        jars.into_iter().find(|path| path.file_name().and_then(|name| name.to_str()).is_some_and(is_ours))
    else {
        eprintln!(
            "SKIPPED: there is no /usr/share/java/maven3-artifact-3.8.*.jar (libmaven3-core-java of Debian 12)"
        );
        return;
    };
    if !is_here("java", "-version") {
        return;
    }
    let pairs = pairs(Kind::Maven, 4000);
    let mut command = Command::new("java");
    command.arg("-jar").arg(jar).args(pairs.iter().flat_map(|(left, right)| [left, right]));
    let output = run(&mut command, "");
    // It compares every one with the next: each other line is about a pair.
    let answers: Vec<&str> = output.lines().filter(|line| line.starts_with("   ")).step_by(2).collect();
    assert_eq!(answers.len(), pairs.len(), "an answer for every pair");
    for ((left, right), answer) in pairs.iter().zip(answers) {
        let ours = match compare(Kind::Maven, left, right).expect("Maven takes everything") {
            Ordering::Less => "<",
            Ordering::Equal => "==",
            Ordering::Greater => ">",
        };
        assert_eq!(format!("   {left} {ours} {right}"), answer);
    }
}

#[test]
fn go() {
    let library = "/usr/share/gocode/src/golang.org/x/mod/semver";
    if !is_here("go", "version") {
        return;
    }
    if !Path::new(library).exists() {
        eprintln!("SKIPPED: there is no {library} (golang-golang-x-mod-dev)");
        return;
    }
    let program = r#"package main

import (
	"bufio"
	"fmt"
	"os"
	"strings"

	"golang.org/x/mod/semver"
)

func main() {
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		left, right, _ := strings.Cut(lines.Text(), "\t")
		if semver.IsValid(left) && semver.IsValid(right) {
			fmt.Println(semver.Compare(left, right))
		} else {
			fmt.Println("refused")
		}
	}
}
"#;
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("compare.go");
    std::fs::write(&file, program).expect("a file");
    // The versions of modules have a `v`; those of Go itself are not the library's.
    let mut pairs = pairs(Kind::Golang, 4000);
    pairs.retain(|(left, right)| left.starts_with('v') && right.starts_with('v'));
    let input: String = pairs.iter().map(|(left, right)| format!("{left}\t{right}\n")).collect();
    let mut command = Command::new("go");
    command.arg("run").arg(&file).env("GO111MODULE", "off").env("GOPATH", "/usr/share/gocode");
    let output = run(command.env("GOCACHE", folder.path()).env("GOFLAGS", ""), &input);
    let answers: Vec<&str> = output.lines().collect();
    assert_eq!(answers.len(), pairs.len(), "an answer for every pair");
    let mut compared = 0;
    // `v1.2rc1` is refused there, and Go's own version here.
    for ((left, right), theirs) in pairs.iter().zip(answers).filter(|(_, theirs)| *theirs != "refused") {
        let ours = compare(Kind::Golang, left, right).expect("the library takes both");
        assert_eq!((ours as i8).to_string(), theirs, "{left} {right}");
        compared += 1;
    }
    assert!(compared > 100, "only {compared} pairs were compared");
}
