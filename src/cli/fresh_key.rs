//! `fresh-key`: the one-time statement that a transmit key was never used.

use super::Failure;
use super::args::FreshKeyArgs;
use crate::config::{Config, Link};
use crate::state::{KeyUse, declare_fresh};

/// Writes the statement. Returns what to print.
///
/// # Errors
/// [`Failure`]: the config is refused, the link or the key is another one, or there is state for
/// the key, so that it isn't fresh.
pub fn run(args: &FreshKeyArgs) -> Result<String, Failure> {
    let config = Config::load(&args.config)?;
    let link = find_link(&config, &args.link)?;
    let Some(keys) = link.static_keys() else {
        return Err(Failure::Refused {
            what: format!("link {} has no static keys", link.name),
            right: "keys that are agreed by protocol are always fresh".to_owned(),
        });
    };
    let fingerprint = keys.tx.key.fingerprint;
    if fingerprint != args.fingerprint {
        let what = format!(
            "the transmit key of link {} is {fingerprint}, not {}",
            link.name, args.fingerprint
        );
        let right = if keys.rx.key.fingerprint == args.fingerprint {
            "that is its receive key; only the side that transmits says that a key is fresh"
        } else {
            "look which key you mean: macsecgw check shows the config's"
        };
        return Err(Failure::Refused {
            what,
            right: right.to_owned(),
        });
    }
    let key = KeyUse {
        link: link.name.clone(),
        fingerprint,
        suite: link.cipher_suite,
        an: keys.tx.an,
    };
    declare_fresh(&config.gateway.state_dir, &key, link.sci)?;
    Ok(format!(
        "The key {fingerprint} of link {} may now be used, for {} with AN {}.\n\
         This can't be said of it again.\n",
        link.name, link.cipher_suite, keys.tx.an
    ))
}

fn find_link<'c>(config: &'c Config, name: &str) -> Result<&'c Link, Failure> {
    let links = &config.links;
    links.iter().find(|link| link.name == name).ok_or_else(|| {
        let names: Vec<&str> = links.iter().map(|link| link.name.as_str()).collect();
        Failure::Refused {
            what: format!("there is no link {name:?} in {}", config.path.display()),
            right: format!("one of: {}", names.join(", ")),
        }
    })
}
