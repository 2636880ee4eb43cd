//! Which file has the rules by which findings are ignored.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

/// The file that is taken from the current folder when none was named.
const USUAL: &str = ".guardhouse-ignore.toml";

/// Which file has the rules, and what there is to tell about that.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Rules {
    /// The file; `None` without rules.
    pub file: Option<PathBuf>,
    /// A sentence, when nobody has named the file.
    pub note: Option<String>,
}

/// The file that was named, or the usual one of the current folder. Not one that lies in the target: its maker would
/// decide what is found in it.
pub fn rules(named: Option<&Path>, target: &Path) -> Rules {
    match named {
        Some(file) => Rules { file: Some(file.to_owned()), note: None },
        None => env::current_dir().map(|here| in_folder(&here, target)).unwrap_or_default(),
    }
}

fn in_folder(here: &Path, target: &Path) -> Rules {
    let file = here.join(USUAL);
    if !file.exists() {
        return Rules::default();
    }
    let real = |path: &Path| fs::canonicalize(path).ok();
    let is_inside = match (real(&file), real(here), real(target)) {
        (Some(file), Some(here), Some(target)) => file.starts_with(&target) || here.starts_with(&target),
        // A target that is not there has nothing in it.
        (.., None) => false,
        _ => true,
    };
    let file_shown = file.display();
    if is_inside {
        let note = format!(
            "{file_shown} lies in the target, so its rules are not used; --ignore takes them all the same"
        );
        return Rules { file: None, note: Some(note) };
    }
    let note = format!("the rules of {file_shown} are used, as of the current folder");
    Rules { file: Some(file), note: Some(note) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_taken_from_here_and_not_from_the_target() {
        let folder = tempfile::TempDir::new().expect("a folder");
        let here = folder.path().join("here");
        fs::create_dir_all(here.join("image")).expect("the folder is ours");
        let target = here.join("image");
        assert_eq!(in_folder(&here, &target), Rules::default());
        fs::write(here.join(USUAL), "").expect("the folder is ours");
        assert_eq!(in_folder(&here, &target).file, Some(here.join(USUAL)));
        assert_eq!(in_folder(&here, Path::new("/nowhere")).file, Some(here.join(USUAL)));
        for target in [here.as_path(), folder.path(), Path::new("/")] {
            let Rules { file: None, note: Some(note) } = in_folder(&here, target) else {
                panic!("{target:?}")
            };
            assert!(note.contains("--ignore"), "{note}");
        }
        // A link to rules in the target.
        fs::write(target.join("rules"), "").expect("the folder is ours");
        fs::remove_file(here.join(USUAL)).expect("the folder is ours");
        std::os::unix::fs::symlink(target.join("rules"), here.join(USUAL)).expect("the folder is ours");
        assert_eq!(in_folder(&here, &target).file, None);
        let named = rules(Some(Path::new("x.toml")), Path::new("/"));
        assert_eq!(named, Rules { file: Some("x.toml".into()), note: None });
    }
}
