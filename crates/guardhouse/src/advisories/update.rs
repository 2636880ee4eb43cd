//! `guardhouse advisories update`

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    str::FromStr,
};

use anyhow::{Context as _, bail, ensure};
use clap::Args;
use guardhouse_advisories::{
    Origin, Source, Store,
    import::{Content, import},
};
use guardhouse_model::Environment;
use serde::Deserialize;

use crate::{
    advisories::{
        StoreArgs, WAIT,
        fetch::{self, Fetched, Fetcher},
        import::{request, show},
        place::folder_in,
    },
    output,
};

/// Fetch what has changed.
#[derive(Debug, Args)]
pub struct UpdateArgs {
    /// A source: its name, and the https:// address or the file that it is read from. Where some are given, only
    /// these are updated.
    #[arg(long, value_name = "NAME=URL|FILE")]
    from: Vec<Named>,

    /// File that lists the sources of a mirror. By default it is guardhouse/advisories.toml in $XDG_CONFIG_HOME, or in
    /// ~/.config.
    #[arg(long, value_name = "FILE", env = "GUARDHOUSE_ADVISORIES_CONFIG")]
    config: Option<PathBuf>,

    /// File with the certificate authority of the mirror (PEM), instead of those that this machine trusts.
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,

    #[command(flatten)]
    store: StoreArgs,
}

/// A source, and where it is read from.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Named {
    name: String,
    url: String,
}

/// The sources of a mirror.
#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    ca: Option<PathBuf>,
    #[serde(default)]
    source: Vec<Named>,
}

impl FromStr for Named {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once('=') {
            Some((name, url)) if !name.is_empty() && !url.is_empty() => {
                Ok(Self { name: name.to_owned(), url: url.to_owned() })
            }
            _ => {
                Err("write it as NAME=URL, for example debian=https://mirror.example/debian.json".to_owned())
            }
        }
    }
}

impl UpdateArgs {
    /// Updates one source after the other. One that fails does not stop those after it.
    ///
    /// # Errors
    /// There is nothing to update, the configuration cannot be read, or the store cannot be opened.
    pub async fn run(self, environment: &Environment) -> anyhow::Result<ExitCode> {
        let path = self.store.path()?;
        let config = self.config()?;
        let mut store = Store::open(&path, WAIT)?;
        let known = store.sources()?;
        let sources = sources(self.from, config.source, &known)?;
        let fetcher = Fetcher::new(self.ca.or(config.ca).as_deref())?;
        let mut exit = ExitCode::SUCCESS;
        for source in sources {
            if let Err(error) = update(&source, &known, &fetcher, &path, &mut store, environment).await {
                output::report(&error.context(format!("{} was not updated", source.name)));
                exit = ExitCode::FAILURE;
            }
        }
        Ok(exit)
    }

    fn config(&self) -> anyhow::Result<Config> {
        let standard = || {
            let folder = folder_in("XDG_CONFIG_HOME").or_else(|| Some(folder_in("HOME")?.join(".config")))?;
            Some(folder.join("guardhouse/advisories.toml")).filter(|path| path.exists())
        };
        let Some(path) = self.config.clone().or_else(standard) else { return Ok(Config::default()) };
        let read = || -> anyhow::Result<Config> { Ok(toml::from_str(&std::fs::read_to_string(&path)?)?) };
        read().with_context(|| format!("cannot read the configuration {}", path.display()))
    }
}

/// What is to be updated: what the command line names, or the configuration, or what was fetched before.
fn sources(from: Vec<Named>, configured: Vec<Named>, known: &[Source]) -> anyhow::Result<Vec<Named>> {
    let fetched = || {
        let fetched = known.iter().filter(|source| fetch::is_address(&source.origin.location));
        fetched
            .map(|source| Named { name: source.name.clone(), url: source.origin.location.clone() })
            .collect()
    };
    let sources = [from, configured].into_iter().find(|named| !named.is_empty()).unwrap_or_else(fetched);
    ensure!(
        !sources.is_empty(),
        "there is nothing to update; name a source with --from NAME=URL, or list the sources in a file (--config)"
    );
    for (number, source) in sources.iter().enumerate() {
        if sources.iter().take(number).any(|other| other.name == source.name) {
            bail!("{} is named twice; each source needs a name of its own", source.name);
        }
    }
    Ok(sources)
}

async fn update(
    source: &Named,
    known: &[Source],
    fetcher: &Fetcher,
    store_path: &Path,
    store: &mut Store,
    environment: &Environment,
) -> anyhow::Result<()> {
    let same = |known: &&Source| known.name == source.name && known.origin.location == source.url;
    let before = known.iter().find(same).map(|known| known.origin.clone()).unwrap_or_default();
    if !fetch::is_address(&source.url) {
        let origin = Origin { location: source.url.clone(), ..Origin::default() };
        let request = request(source.name.clone(), origin, environment.now())?;
        return show(&import(store, &request, Content::Path(PathBuf::from(&source.url)))?);
    }
    // Refused before anything is fetched for it.
    request(source.name.clone(), Origin::default(), environment.now())?;
    let folder =
        store_path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    match fetcher.fetch(&source.url, &before, folder).await? {
        Fetched::Unchanged => {
            store.touch(&source.name, environment.now())?;
            eprintln!("{}: not changed", source.name);
            Ok(())
        }
        Fetched::File { file, origin } => {
            let request = request(source.name.clone(), origin, environment.now())?;
            show(&import(store, &request, Content::File(source.url.clone(), file))?)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &str, url: &str) -> Named {
        Named { name: name.to_owned(), url: url.to_owned() }
    }

    #[test]
    fn a_source_has_a_name_and_an_address() {
        assert_eq!("a=https://b/c?d=e".parse(), Ok(named("a", "https://b/c?d=e")));
        for wrong in ["", "a", "=b", "a="] {
            assert!(wrong.parse::<Named>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_is_named_comes_before_what_is_configured_and_what_was_fetched() {
        let of = |name: &str, location: &str| Source {
            name: name.to_owned(),
            origin: Origin { location: location.to_owned(), ..Origin::default() },
            ..Source::default()
        };
        let known = [of("fetched", "https://a.test/x"), of("read", "/mirror/y.zip")];
        let (from, configured) = (named("from", "/x"), named("configured", "https://b.test"));
        let all = |from: &[Named], configured: &[Named], known: &[Source]| {
            sources(from.to_vec(), configured.to_vec(), known).map_err(|error| error.to_string())
        };
        assert_eq!(
            all(std::slice::from_ref(&from), std::slice::from_ref(&configured), &known),
            Ok(vec![from])
        );
        assert_eq!(all(&[], std::slice::from_ref(&configured), &known), Ok(vec![configured.clone()]));
        assert_eq!(all(&[], &[], &known), Ok(vec![named("fetched", "https://a.test/x")]));
        assert!(all(&[], &[], &[]).is_err_and(|error| error.contains("--from NAME=URL")));
        assert!(all(&[], &[configured.clone(), configured], &[]).is_err_and(|error| error.contains("twice")));
    }

    #[test]
    fn a_configuration_lists_sources() {
        let text = "ca = 'ca.pem'\n[[source]]\nname = 'a'\nurl = 'https://a.test'\n";
        let config: Config = toml::from_str(text).expect("a configuration");
        assert_eq!(config, Config { ca: Some("ca.pem".into()), source: vec![named("a", "https://a.test")] });
        assert!(toml::from_str::<Config>("[[sources]]").is_err());
    }
}
