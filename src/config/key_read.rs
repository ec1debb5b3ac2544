//! Reads where a key lies: the pair of keys `..._file` and `..._credential`, of which one is given.

use std::ffi::OsStr;
use std::path::Path;

use super::keys::KeySource;
use super::raw::{Field, Reader, Section};
use super::redact::{self, quoted};

/// The place that `STEM_file` or `STEM_credential` names. `credentials` is `$CREDENTIALS_DIRECTORY`.
pub(super) fn read_source(
    reader: &mut Reader<'_>,
    section: &Section<'_>,
    stem: &str,
    credentials: Option<&OsStr>,
) -> Option<Field<KeySource>> {
    let (file_key, credential_key) = (format!("{stem}_file"), format!("{stem}_credential"));
    let file = section.text(reader, &file_key, "");
    let credential = section.text(reader, &credential_key, "");
    let (has_file, has_credential) = (
        section.find(&file_key).is_some(),
        section.find(&credential_key).is_some(),
    );
    let text = match (has_file, has_credential) {
        (true, false) => file,
        (false, true) => credential,
        (true, true) => {
            let what = format!("both `{file_key}` and `{credential_key}` are given");
            reader.wrong(
                &credential,
                what,
                "keep the one that the key is to come from",
            );
            return None;
        }
        (false, false) => {
            let what = format!("`{file_key}` is missing in `{}`", section.path);
            let right = format!("the name of a key file, or `{credential_key}`");
            reader.wrong(&file, what, right);
            return None;
        }
    };
    if !text.given || !check_names_a_place(reader, &text, stem) {
        return None;
    }
    let source = if has_file {
        KeySource::File(reader.source.directory().join(&text.value))
    } else {
        credential_source(reader, &text, credentials)?
    };
    Some(text.with(source))
}

/// Refuses a key, or nothing, where the place of a key belongs.
fn check_names_a_place(reader: &mut Reader<'_>, text: &Field<String>, stem: &str) -> bool {
    if redact::looks_like_key(&text.value) {
        let what = "a key where the name of a key's place belongs";
        let right = "put the key into a file of mode 0600 and name that; take the key out of the \
                     config, and think of making a new one";
        reader.wrong(text, what, right);
        return false;
    }
    if text.value.is_empty() || text.value.contains('\0') {
        let what = format!("{} names no key", quoted(&text.value));
        let right = if stem == "cak" {
            "such as \"keys/dx1.cak\""
        } else {
            "such as \"keys/dx1-tx.sak\""
        };
        reader.wrong(text, what, right);
        return false;
    }
    true
}

fn credential_source(
    reader: &mut Reader<'_>,
    name: &Field<String>,
    credentials: Option<&OsStr>,
) -> Option<KeySource> {
    if name.value.contains('/') || name.value.starts_with('.') {
        let what = format!("{} is not a credential's name", quoted(&name.value));
        let right = "the name that LoadCredential= gives it, without a path";
        reader.wrong(name, what, right);
        return None;
    }
    let Some(directory) = credentials else {
        let what = "a systemd credential, but $CREDENTIALS_DIRECTORY is not set";
        let right = format!(
            "start the gateway from a unit with LoadCredential={}:FILE, or name a key file",
            name.value
        );
        reader.wrong(name, what, right);
        return None;
    };
    Some(KeySource::Credential {
        name: name.value.clone(),
        path: Path::new(directory).join(&name.value),
    })
}
