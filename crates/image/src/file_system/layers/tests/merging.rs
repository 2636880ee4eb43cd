//! What layers on each other become.

use super::*;

#[test]
fn layers_are_put_on_each_other() {
    for (below, above, merged) in [
        // Whiteouts, wherever in their layer, hide what is below it alone.
        (vec!["a=1", "b=1"], vec![".wh.a", "a=2", "b=2", ".wh.b"], vec!["/a 2", "/b 2"]),
        (vec!["d/x=1", "d/y/z=1"], vec!["d/.wh.y"], vec!["/d /", "/d/x 1"]),
        (vec!["d/x=1"], vec!["d/n=2", "d/.wh..wh..opq"], vec!["/d /", "/d/n 2"]),
        (vec!["d/x=1"], vec![".wh.d", "d/n=2"], vec!["/d /", "/d/n 2"]),
        (vec!["a=1"], vec![".wh.none", "n/.wh.x", ".wh.", ".wh..."], vec!["/a 1"]),
        (vec!["a=1", "d/b=1"], vec![".wh..wh..opq"], vec![]),
        (vec![".wh.a", "b=1"], vec!["c=1"], vec!["/b 1", "/c 1"]),
        // Folders, files and links take each other's place; a folder over a folder stays.
        (vec!["a=1"], vec!["a/b=2"], vec!["/a /", "/a/b 2"]),
        (vec!["a/b=1"], vec!["a=2"], vec!["/a 2"]),
        (vec!["a/b=1"], vec!["a/"], vec!["/a /", "/a/b 1"]),
        (vec!["a/b=1"], vec!["a=x", "a/", "a/c=2"], vec!["/a /", "/a/c 2"]),
        (vec!["a=1", "a=2", "a=3"], vec![], vec!["/a 3"]),
        (
            vec!["lib -> usr/lib", "usr/lib/x=1"],
            vec!["lib/"],
            vec!["/lib /", "/usr /", "/usr/lib /", "/usr/lib/x 1"],
        ),
        // A device over a folder, which overlayfs takes for a whiteout.
        (vec!["d/x=1", "a=1"], vec!["d|", "a|"], vec!["/a other", "/d other"]),
        // Links on the way are followed inside the tree.
        (
            vec!["lib -> usr/lib", "usr/lib/x=1", "up -> ../../../etc", "etc/x=1"],
            vec!["lib/y=2", "lib/.wh.x", "up/z=2"],
            vec![
                "/etc /",
                "/etc/x 1",
                "/etc/z 2",
                "/lib -> usr/lib",
                "/up -> ../../../etc",
                "/usr /",
                "/usr/lib /",
                "/usr/lib/y 2",
            ],
        ),
        // Paths stay below the root.
        (vec!["/a=1", "../../b=1", "./c/../d=1", "./"], vec![], vec!["/a 1", "/b 1", "/d 1"]),
        (vec!["a=1", "b => a", "p|"], vec!["c => ./b", ".wh.a"], vec!["/b 1", "/c 1", "/p other"]),
    ] {
        let layers = merge([archive(&below), archive(&above)]).expect("the archives are right");
        assert_eq!(shown(&layers), merged, "{below:?} {above:?}");
    }
}

#[test]
fn hard_links_share_their_file() {
    let layers =
        merge([archive(&["a=1", "d/b => a", "gone => nothing", "f/", "folder => f"]), archive(&["a=2"])])
            .expect("the archives are right");
    assert_eq!(shown(&layers), ["/a 2", "/d /", "/d/b 1", "/f /"]);
    assert_eq!(
        layers.left_out(),
        [
            "gone is left out: a link to a file that is not there",
            "folder is left out: a link to a file that is not there",
        ]
    );
    let layers = merge([archive(&["a=1", "b => a"])]).expect("the archive is right");
    let mut reader = layers.reader().expect("it can be read");
    let root = reader.root();
    let [a, b] =
        [b"a", b"b"].map(|name| reader.lookup(&root, name).expect("a folder").expect("it is there").node);
    assert_eq!(a, b);
}

/// What would take hours if each of these went through all files again.
#[test]
fn repeated_whiteouts_and_replacements_stay_cheap() {
    let many: Vec<String> = (0..20_000).map(|number| format!("d/{number}=x")).collect();
    let below: Vec<&str> = many.iter().map(String::as_str).collect();
    let turns = ["d=x", "d/", "d/1=x", ".wh.d", "d/.wh..wh..opq"];
    let above: Vec<&str> = turns.iter().copied().cycle().take(50_000).collect();
    let layers = merge([archive(&below), archive(&above)]).expect("the archives are right");
    assert_eq!(shown(&layers), ["/d /", "/d/1 x"]);
}

#[test]
fn a_path_of_the_root_is_the_root() {
    let layers = merge([archive(&["./", "/", "x/..", "..="])]).expect("the archive is right");
    assert_eq!(shown(&layers), [""; 0]);
    assert_eq!(FilePath::new(b"x/.."), FilePath::root());
}
