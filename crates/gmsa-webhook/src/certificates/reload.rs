//! Takes over the content of files when it changes, and keeps the last good one when it is bad.

use std::time::Duration;

use parking_lot::Mutex;

use super::LoadError;

/// How often the files are read.
const PERIOD: Duration = Duration::from_secs(1);

/// Files whose content is used together.
pub trait Content: Send + Sync + 'static {
    /// What the files hold.
    type Bytes: PartialEq + Send;

    /// Reads the files.
    fn read(&self) -> Result<Self::Bytes, LoadError>;

    /// Makes use of what was read, if it is good.
    fn adopt(&self, bytes: &Self::Bytes) -> Result<(), LoadError>;

    /// Is told that the files changed to something good, or to something bad that stayed.
    fn changed(&self, good: bool);
}

/// Reads files again and again.
pub struct Reload<C: Content> {
    content: C,
    state: Mutex<State<C::Bytes>>,
}

struct State<B> {
    /// What was read last, or why it could not be.
    seen: Option<Result<B, String>>,
    /// Why that is bad.
    problem: Option<String>,
    told: bool,
    /// Whether something good is in use.
    loaded: bool,
}

impl<C: Content> Reload<C> {
    /// Reads the files for the first time. That they are bad is told, and no error: they may be
    /// about to come.
    pub fn start(content: C) -> Self {
        let state = State { seen: None, problem: None, told: false, loaded: false };
        let reload = Self { content, state: Mutex::new(state) };
        reload.check();
        reload
    }

    /// Why nothing good is in use, if nothing is.
    pub fn ready(&self) -> Result<(), String> {
        let state = self.state.lock();
        if state.loaded {
            return Ok(());
        }
        Err(state.problem.clone().unwrap_or_else(|| "no certificate is loaded".to_owned()))
    }

    /// Reads the files and takes over what is new and good.
    ///
    /// What is bad while something good is in use is told only if it is still there at the next
    /// check, because two files are not always written in one go; and then once.
    pub fn check(&self) {
        let read = self.content.read().map_err(|error| error.to_string());
        let mut state = self.state.lock();
        if state.seen.as_ref() == Some(&read) {
            self.tell(&mut state);
            return;
        }
        let adopted = match &read {
            Ok(bytes) => self.content.adopt(bytes).map_err(|error| error.to_string()),
            Err(error) => Err(error.clone()),
        };
        state.seen = Some(read);
        state.told = false;
        match adopted {
            Ok(()) => {
                if state.loaded {
                    self.content.changed(true);
                }
                state.loaded = true;
                state.problem = None;
            }
            Err(problem) => {
                state.problem = Some(problem);
                if !state.loaded {
                    self.tell(&mut state);
                }
            }
        }
    }

    fn tell(&self, state: &mut State<C::Bytes>) {
        if state.told {
            return;
        }
        if let Some(problem) = &state.problem {
            tracing::error!(
                error = %problem,
                kept_the_last_good = state.loaded,
                "failed to load certificates"
            );
            self.content.changed(false);
            state.told = true;
        }
    }

    /// Checks the files for as long as it is polled.
    pub async fn watch(&self) {
        loop {
            tokio::time::sleep(PERIOD).await;
            self.check();
        }
    }
}
