//! Reads secrets from where the configuration points: a file that only its owner can read, or an environment variable.
//!
//! At most 64 KiB of UTF-8 without its last line end; an empty one is an error. Nothing in here prints a value, nor a
//! text that could be one because somebody wrote it in the wrong place.

use super::{check::Check, problem::ProblemKind, raw::RawSecret};
use secrecy::{ExposeSecret, SecretString};
use std::{
    fs::File,
    io::{self, Read},
    os::unix::fs::PermissionsExt,
    path::Path,
};

/// Largest secret, in bytes.
const MAX_SECRET: u64 = 64 * 1024;

/// Reads the secret that `key` refers to.
pub(super) fn read_secret(check: &mut Check<'_>, key: &str, reference: &RawSecret) -> Option<SecretString> {
    let secret = match (&reference.file, &reference.env) {
        (Some(file), None) => {
            let file = check.path(file);
            read_secret_file(check, key, &file)
        }
        (None, Some(variable)) => read_variable(check, key, variable),
        (Some(_), Some(_)) => {
            check.problem(
                key,
                ProblemKind::Conflict,
                "names a file and a variable",
                "keep one of `file` and `env`",
            );
            None
        }
        (None, None) => check.required(key, None, "write { file = \"PATH\" } or { env = \"NAME\" }"),
    }?;
    if secret.expose_secret().is_empty() {
        check.problem(
            key,
            ProblemKind::Secret,
            "is empty there",
            "put the secret where this key points",
        );
        return None;
    }
    Some(secret)
}

/// Checks the form of a reference without following it.
pub(super) fn check_reference(check: &mut Check<'_>, key: &str, reference: &RawSecret) {
    if let (Some(_), Some(_)) = (&reference.file, &reference.env) {
        check.problem(
            key,
            ProblemKind::Conflict,
            "names a file and a variable",
            "keep one of `file` and `env`",
        );
    }
}

fn read_variable(check: &mut Check<'_>, key: &str, variable: &str) -> Option<SecretString> {
    let key = &format!("{key}.env");
    let name = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
    if variable.is_empty() || !variable.bytes().all(name) {
        // The text is not shown: it may be the secret itself.
        let way_out =
            "write the variable's name, in capitals, digits and underscores; never the secret itself";
        check.value(key, "is not the name of an environment variable", way_out);
        return None;
    }
    match check.variable(variable) {
        Some(value) => Some(SecretString::from(without_line_end(value))),
        None => {
            let what = format!("the environment variable {variable} is not set");
            let way_out =
                "set it for the broker's process, or keep the secret in a file: { file = \"PATH\" }";
            check.problem(key, ProblemKind::Secret, what, way_out);
            None
        }
    }
}

/// Reads a file that only its owner may read.
pub(super) fn read_secret_file(check: &mut Check<'_>, key: &str, file: &Path) -> Option<SecretString> {
    let shown = file.display();
    match read(file) {
        Ok(Ok(text)) => Some(SecretString::from(without_line_end(&text))),
        Ok(Err(mode)) => {
            let what = format!("others than the owner can use {shown} (its mode is {mode:04o})");
            check.problem(key, ProblemKind::Secret, what, format!("chmod 600 {shown}"));
            None
        }
        Err(error) => {
            let what = format!("{shown} cannot be read: {error}");
            check.problem(
                key,
                ProblemKind::Secret,
                what,
                "create it with the secret in it, mode 600, owned by the broker's user",
            );
            None
        }
    }
}

/// The text, or the mode when it is too open.
fn read(file: &Path) -> io::Result<Result<String, u32>> {
    let mut file = File::open(file)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "it is not a regular file",
        ));
    }
    let mode = metadata.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Ok(Err(mode));
    }
    if metadata.len() > MAX_SECRET {
        return Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            "it is larger than 64 KiB",
        ));
    }
    let mut text = String::new();
    file.by_ref().take(MAX_SECRET).read_to_string(&mut text)?;
    Ok(Ok(text))
}

fn without_line_end(text: &str) -> &str {
    let text = text.strip_suffix('\n').unwrap_or(text);
    text.strip_suffix('\r').unwrap_or(text)
}
