//! The version that the build of a program wrote into one of its variables: `-ldflags="-X main.version=1.2.3"`.
//!
//! Before Go 1.24, a program that was built from a clone is of the version `(devel)`; release builds tell theirs this way.

/// What variables are called that are the version of the program, in lower case.
const VARIABLES: [&str; 4] = ["version", "ver", "appversion", "buildversion"];

/// What may follow the three numbers of a release. `-5-g1a2b3c` of `git describe` comes after it, where advisories would
/// take it for something before.
const STAGES: [&str; 4] = ["-rc", "-alpha", "-beta", "+"];

/// The version of the main module, from the flags of the linker; `None` when they tell none or more than one.
pub(super) fn version(module: &str, flags: &str) -> Option<String> {
    let mut told: Option<&str> = None;
    let mut words = flags.split_whitespace().map(|word| word.trim_matches(QUOTES));
    while let Some(word) = words.next() {
        let assigned = match word {
            "-X" | "--X" => words.next(),
            _ => word.strip_prefix("-X="),
        };
        let Some((variable, value)) = assigned.and_then(|text| text.trim_matches(QUOTES).split_once('='))
        else {
            continue;
        };
        let value = value.trim_matches(QUOTES);
        let value = value.strip_prefix('v').unwrap_or(value);
        if is_of(module, variable) && is_release(value) {
            if told.is_some_and(|other| other != value) {
                return None;
            }
            told = Some(value);
        }
    }
    told.map(str::to_owned)
}

const QUOTES: [char; 3] = ['"', '\'', '\\'];

/// Whether a variable is the version of the program, and not that of a module in it.
fn is_of(module: &str, variable: &str) -> bool {
    let Some((package, name)) = variable.rsplit_once('.') else { return false };
    let within = package.strip_prefix(module).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    (package == "main" || within) && VARIABLES.contains(&name.to_ascii_lowercase().as_str())
}

fn is_release(version: &str) -> bool {
    let end = version.find(|sign: char| !sign.is_ascii_digit() && sign != '.').unwrap_or(version.len());
    let (numbers, stage) = version.split_at_checked(end).unwrap_or_default();
    let is_number = |number: &str| !number.is_empty();
    let known = stage.is_empty() || STAGES.iter().any(|known| stage.starts_with(known));
    numbers.split('.').count() == 3 && numbers.split('.').all(is_number) && known
}

#[cfg(test)]
mod tests {
    use super::version;

    #[test]
    fn versions_in_flags() {
        let table = [
            (
                "\"-w -s -extldflags '-static' -X main.version=1.18.1 -X main.gitCommit=5e16e50 \"",
                Some("1.18.1"),
            ),
            ("\"-s -w -X example.com/tool/pkg/app.ver=0.59.1\"", Some("0.59.1")),
            ("-X=main.Version=v2.0.0-rc.1", Some("2.0.0-rc.1")),
            ("\"-X 'main.version=v2.0.0'\"", Some("2.0.0")),
            ("\"-X \\\"example.com/tool.Version=2.0.0+build\\\"\"", Some("2.0.0+build")),
            ("\"-X main.version=1.0.0 -X example.com/tool/cmd.Version=v1.0.0\"", Some("1.0.0")),
            // Not which one.
            ("\"-X main.version=1.0.0 -X example.com/tool/cmd.Version=2.0.0\"", None),
            // Another module's.
            ("-X=example.com/toolbox.version=1.0.0", None),
            ("-X=example.com/other.version=1.0.0", None),
            // Not a release.
            ("-X=main.version=1.0.0-5-g1a2b3c", None),
            ("-X=main.version=dev", None),
            ("-X=main.version=1.0", None),
            ("-X=main.version=", None),
            // Not a version.
            ("-X=main.goVersion=1.20.0", None),
            ("-X", None),
            ("\"-s -w\"", None),
        ];
        for (flags, expected) in table {
            assert_eq!(version("example.com/tool", flags).as_deref(), expected, "{flags}");
        }
    }
}
