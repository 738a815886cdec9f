//! What the configuration names: addresses, endpoints, data directory, rules, policy, prices.

use super::{Check, machine};
use crate::config::Config;
use crate::exit::Failure;
use crate::runtime::Runtime;
use crate::{ledger, redactor, serve};
use rustix::fs::{Access, access};
use std::net::TcpListener;
use std::path::Path;
use tollgate_analytics::ledger::key::{self, AtRest};
use tollgate_analytics::report::Facts;
use tollgate_proxy::credential;
use tollgate_proxy::keys;
use tollgate_redaction::Device;

pub(super) fn look(runtime: &Runtime, config: &Config) -> Vec<Check> {
    let mut checks = vec![
        address("listen.reverse", &config.listen.reverse),
        address("listen.admin", &config.listen.admin),
        endpoints(config),
        data(&config.data.dir),
        machine::disk("disk of the data", &config.data.dir),
        callers(&config.data.dir),
        signing_key(config),
        recognizers(config),
    ];
    if config.ner.device != Device::Off && runtime.onnxruntime().is_file() {
        checks.push(model(config));
    }
    checks.extend([policy(&config.policy.file), prices(config), facts(config)]);
    checks
}

fn address(name: &str, address: &str) -> Check {
    match TcpListener::bind(address) {
        Ok(_) => Check::ok(name, format!("{address} is free")),
        Err(error) => {
            let fix = "fine if the gate is running; otherwise name another address";
            Check::warn(
                name,
                format!("{address} cannot be listened on: {error}"),
                fix,
            )
        }
    }
}

fn endpoints(config: &Config) -> Check {
    for endpoint in &config.endpoint {
        if let Some(Err(error)) = endpoint.key.as_deref().map(credential::read) {
            let says = format!("{}: {error}", endpoint.name);
            return Check::fail("endpoints", says, "set it, or correct the endpoint's `key`");
        }
    }
    let names: Vec<_> = config
        .endpoint
        .iter()
        .map(|endpoint| endpoint.name.as_str())
        .collect();
    if names.is_empty() {
        let fix = "add an [[endpoint]] to the configuration";
        return Check::warn("endpoints", "none: every request will be refused", fix);
    }
    Check::ok("endpoints", names.join(", "))
}

fn data(dir: &Path) -> Check {
    let absolute = std::path::absolute(dir).unwrap_or_else(|_| dir.to_owned());
    let existing = absolute
        .ancestors()
        .find(|dir| dir.exists())
        .unwrap_or(Path::new("/"));
    let shown = absolute.display();
    match access(existing, Access::WRITE_OK | Access::EXEC_OK) {
        Ok(()) if existing == absolute => Check::ok("data directory", shown.to_string()),
        Ok(()) => Check::ok("data directory", format!("{shown}, to be made")),
        Err(error) => {
            let fix = "change its owner or permissions, or `data.dir`";
            Check::fail(
                "data directory",
                format!("{shown} cannot be written: {error}"),
                fix,
            )
        }
    }
}

fn callers(data: &Path) -> Check {
    match keys::list(data) {
        Ok(keys) if keys.is_empty() => Check::ok(
            "keys",
            "none: callers need no key until the first is created",
        ),
        Ok(keys) => {
            let used = keys.iter().filter(|key| key.revoked.is_none()).count();
            Check::ok(
                "keys",
                format!("{used} in use, {} revoked", keys.len() - used),
            )
        }
        Err(error) => Check::fail(
            "keys",
            Failure::new(error).to_string(),
            "restore the file from a backup",
        ),
    }
}

/// How the key that signs the ledger's checkpoints lies on the disk.
fn signing_key(config: &Config) -> Check {
    let name = "signing key";
    let passphrase = &config.ledger.key_passphrase;
    if let Some(Err(error)) = passphrase.as_deref().map(credential::read) {
        let says = format!("ledger.key_passphrase: {error}");
        return Check::fail(name, says, "set it, or correct `ledger.key_passphrase`");
    }
    let file = ledger::key_file(config);
    let encrypted = "encrypted under its passphrase";
    let plain = "readable for whoever can read the gate's files";
    let fix = "name a passphrase in `ledger.key_passphrase` before the first start";
    match (key::at_rest(&file), passphrase.is_some()) {
        (Ok(AtRest::Absent), true) => Check::ok(name, "to be made, encrypted"),
        (Ok(AtRest::Absent), false) => Check::warn(name, format!("to be made, {plain}"), fix),
        (Ok(AtRest::Encrypted), true) => Check::ok(name, encrypted),
        (Ok(AtRest::Plain), false) => Check::warn(name, format!("plain, {plain}"), fix),
        (Ok(AtRest::Encrypted), false) => Check::fail(
            name,
            "encrypted, and no passphrase is configured",
            "set `ledger.key_passphrase`",
        ),
        (Ok(AtRest::Plain), true) => Check::fail(
            name,
            "plain, and a passphrase is configured",
            "encrypt it with `openssl pkcs8 -topk8`, or remove it to have a new one made",
        ),
        (Err(error), _) => Check::fail(name, Failure::new(error).to_string(), "let us read it"),
    }
}

fn recognizers(config: &Config) -> Check {
    match redactor::load(config, false, 1) {
        Ok(redactor) => {
            let summary = redactor.summary();
            Check::ok(
                "recognizers",
                format!("{} rules, {} terms", summary.rules, summary.terms),
            )
        }
        Err(error) => rules("recognizers", error, config),
    }
}

/// Loads the model and lets it find a known name.
fn model(config: &Config) -> Check {
    match redactor::load(config, true, 1) {
        Ok(redactor) => {
            let device = redactor.summary().device.map(|device| device.to_string());
            let device = device.unwrap_or_else(|| "off".to_owned());
            Check::ok("name recognition", format!("self-test passed on {device}"))
        }
        Err(error) => {
            let fix = "run `tollgate setup --verify`, or set `ner.device` to `cpu` or `off`";
            Check::fail("name recognition", error.to_string(), fix)
        }
    }
}

fn policy(file: &Path) -> Check {
    match serve::load_policy(file) {
        Ok(policy) => {
            let (rules, version) = (policy.rules().len(), policy.version());
            Check::ok(
                "policy",
                format!("{}, {rules} rules, version {version}", file.display()),
            )
        }
        Err(error) => Check::fail(
            "policy",
            error.to_string(),
            "correct the file, or `policy.file`",
        ),
    }
}

fn prices(config: &Config) -> Check {
    match crate::prices::book(config) {
        Ok(book) => Check::ok("prices", format!("{} prices", book.entries().count())),
        Err(error) => rules("prices", error, config),
    }
}

fn facts(config: &Config) -> Check {
    match Facts::load(&config.rules.dir) {
        Ok(_) => Check::ok("facts of the report", "jurisdictions, rates, business case"),
        Err(error) => rules("facts of the report", Failure::new(error), config),
    }
}

fn rules(name: &str, error: Failure, config: &Config) -> Check {
    let fix = format!(
        "correct the file, or `rules.dir` (now {})",
        config.rules.dir.display()
    );
    Check::fail(name, error.to_string(), fix)
}
