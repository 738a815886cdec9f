//! The supervised children: the store and the local model.

use crate::config::Config;
use crate::exit::Failure;
use crate::supervise::{self, Spec, State, Supervised};
use crate::{local_llm, store};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::sync::watch;
use tollgate_proxy::Secret;
use tollgate_proxy::endpoint::LocalModel;

/// The supervised children.
pub(super) struct Children {
    pub(super) store: Option<Supervised>,
    local_llm: Option<Supervised>,
}

impl Children {
    pub(super) fn start(config: &Config, config_file: Option<&Path>) -> Result<Self, Failure> {
        let program = std::env::current_exe().map_err(Failure::new)?;
        let spec = |name: &'static str, health, start_timeout| {
            let mut arguments = Vec::new();
            if let Some(file) = config_file {
                arguments.extend(["--config".into(), PathBuf::from(file).into_os_string()]);
            }
            arguments.push(name.into());
            Spec {
                name,
                program: program.clone(),
                arguments,
                health,
                start_timeout,
                run_dir: config.data.dir.join("run"),
                log: None,
            }
        };
        let store = config
            .analytics
            .url
            .is_empty()
            .then(|| spec(store::NAME, "/ping", Duration::from_secs(120)));
        let local = config
            .embedded_model()
            .then(|| spec(local_llm::NAME, "/healthz", Duration::from_secs(120)));
        Ok(Children {
            store: store
                .map(Supervised::start)
                .transpose()
                .map_err(Failure::new)?,
            local_llm: local
                .map(Supervised::start)
                .transpose()
                .map_err(Failure::new)?,
        })
    }

    /// Follows the local model's state as the gateway wants to know it.
    pub(super) fn local_model(&self, config: &Config) -> watch::Receiver<Option<LocalModel>> {
        let (sender, receiver) = watch::channel(None);
        let Some(child) = &self.local_llm else {
            return receiver;
        };
        let (mut status, token, model) = (
            child.status(),
            Secret::new(child.token().expose().to_owned()),
            config.local_llm.name.clone(),
        );
        tokio::spawn(async move {
            loop {
                let now = status.borrow_and_update().clone();
                let up = (now.state == State::Healthy).then(|| LocalModel {
                    address: now.address,
                    token: token.clone(),
                    model: model.clone(),
                });
                sender.send_replace(up);
                if status.changed().await.is_err() {
                    sender.send_replace(None);
                    return;
                }
            }
        });
        receiver
    }

    pub(super) fn watched(&self) -> Vec<(&'static str, watch::Receiver<supervise::Status>)> {
        let store = self.store.as_ref().map(|c| (store::NAME, c.status()));
        let local = self
            .local_llm
            .as_ref()
            .map(|c| (local_llm::NAME, c.status()));
        store.into_iter().chain(local).collect()
    }

    pub(super) async fn stop(self) {
        for child in [self.store, self.local_llm].into_iter().flatten() {
            child.stop().await;
        }
    }
}
