//! Who is said to have done what the journal has: the identity behind the AWS credentials where there is one, else the user of
//! the operating system and the machine.
//!
//! It is asked for in the background; nothing at the start waits for it.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use userlink_pool::{PoolReader, account_of};

/// Before something is planned or written so long is waited for the name.
const PATIENCE: Duration = Duration::from_secs(3);

#[derive(Clone, Debug)]
pub(crate) struct Actor {
    /// None while it is not known; then the ARN, or nothing.
    asked: Arc<watch::Receiver<Option<Option<String>>>>,
}

impl Actor {
    /// Begins to ask.
    pub(crate) fn begin(pool: &PoolReader) -> Self {
        let (told, asked) = watch::channel(None);
        let pool = pool.clone();
        tokio::spawn(async move {
            let caller = pool.caller().await;
            // Whoever wanted to know may be gone.
            told.send(Some(caller)).unwrap_or(());
        });
        Self { asked: Arc::new(asked) }
    }

    /// The name, as far as it is known by now or a moment later.
    pub(crate) async fn name(&self) -> String {
        match self.arn().await {
            Some(arn) => format!("{arn} ({})", of_system()),
            None => of_system(),
        }
    }

    /// The account of the credentials, as far as it is known by now or a moment later.
    pub(crate) async fn account(&self) -> Option<String> {
        account_of(&self.arn().await?).map(str::to_owned)
    }

    async fn arn(&self) -> Option<String> {
        let mut asked = (*self.asked).clone();
        let known = tokio::time::timeout(PATIENCE, asked.wait_for(Option::is_some)).await;
        known.ok().and_then(Result::ok).and_then(|known| known.clone().flatten())
    }
}

/// The user of the operating system and the machine, as far as the environment says.
fn of_system() -> String {
    let user = ["USER", "LOGNAME", "USERNAME"]
        .into_iter()
        .find_map(|name| std::env::var(name).ok().filter(|name| !name.is_empty()))
        .unwrap_or_else(|| "unknown".to_owned());
    let of_environment = ["HOSTNAME", "COMPUTERNAME"].into_iter().find_map(|name| std::env::var(name).ok());
    let host = of_environment.or_else(|| std::fs::read_to_string("/proc/sys/kernel/hostname").ok());
    match host.as_deref().map(str::trim).filter(|host| !host.is_empty()) {
        Some(host) => format!("{user}@{host}"),
        None => user,
    }
}
