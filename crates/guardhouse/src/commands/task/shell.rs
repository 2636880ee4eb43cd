//! A command line as the text of a script.

/// Words of the shell's grammar. As the first word of a command they would not be a program.
const RESERVED: [&str; 17] = [
    "case", "coproc", "do", "done", "elif", "else", "esac", "fi", "for", "function", "if", "in", "select",
    "then", "time", "until", "while",
];

/// Makes a script of the words after `--`. One word is a script already. Several words are one command, the
/// first being the program: a shell that reads the script sees exactly these words.
pub fn script(words: &[String]) -> String {
    match words {
        [script] => script.clone(),
        words => words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" "),
    }
}

/// A word that a POSIX shell reads as it is written here.
fn quoted(word: &str) -> String {
    // No equals sign: the first word of a command would be an assignment.
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "_@%+:,./-".contains(letter);
    let is_word = word.chars().all(plain) && !word.is_empty();
    if is_word && !RESERVED.contains(&word) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    fn of(words: &[&str]) -> String {
        script(&words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn commands_become_scripts() {
        for (words, expected) in [
            (&["uname", "-a"][..], "uname -a"),
            (&["sh", "-c", "a b"], "sh -c 'a b'"),
            (&["echo", "it's", "", "$HOME", "a=b"], r"echo 'it'\''s' '' '$HOME' 'a=b'"),
            (&["if", "true"], "'if' true"),
            (&["uname -a; id"], "uname -a; id"),
            (&["#!/usr/bin/python3\nprint(1)"], "#!/usr/bin/python3\nprint(1)"),
            (&["#!/bin/sh", "x"], "'#!/bin/sh' x"),
        ] {
            assert_eq!(of(words), expected);
        }
    }

    #[test]
    fn a_shell_reads_every_word_as_it_was_given() {
        let words = [
            "",
            " ",
            "a b",
            "'",
            "''",
            "\"",
            "\\",
            "\\n",
            "$HOME",
            "`id`",
            "$(id)",
            "*",
            "?",
            "[a]",
            "~",
            "~root",
            "{a,b}",
            "a;b",
            "a&b",
            "a|b",
            "<x",
            ">x",
            "#x",
            "!x",
            "a=b",
            "-n",
            "--",
            "line\nline",
            "tab\t",
            "ž漢",
            "if",
            "%s",
            "\u{1b}[31m",
        ];
        for program in ["printf", "/usr/bin/printf"] {
            let command = [&[program, "%s\\0"][..], &words[..]].concat();
            let output = Command::new("/bin/sh").arg("-c").arg(of(&command)).output().expect("a shell");
            let text = String::from_utf8(output.stdout).expect("UTF-8");
            let read: Vec<_> = text.strip_suffix('\0').expect("words").split('\0').collect();
            assert_eq!(read, words, "{program}");
        }
    }
}
