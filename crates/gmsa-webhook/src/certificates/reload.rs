//! Loads files again when their content changes, and keeps the last good content if the new one is bad.

use std::time::Duration;

use parking_lot::Mutex;

use super::LoadError;

/// How often the files are read.
const PERIOD: Duration = Duration::from_secs(1);

/// Files whose content is used together.
pub trait Content: Send + Sync + 'static {
    /// The content of the files.
    type Bytes: PartialEq + Send;

    /// Reads the files.
    fn read(&self) -> Result<Self::Bytes, LoadError>;

    /// Uses the content, if it is valid.
    fn adopt(&self, bytes: &Self::Bytes) -> Result<(), LoadError>;

    /// Records that the files changed: to good content, or to bad content that stayed.
    fn changed(&self, good: bool);
}

/// Reads files again and again.
pub struct Reload<C: Content> {
    content: C,
    state: Mutex<State<C::Bytes>>,
}

struct State<B> {
    /// What was read last, or the error.
    seen: Option<Result<B, String>>,
    /// Why that is bad.
    problem: Option<String>,
    logged: bool,
    /// Whether something good is in use.
    loaded: bool,
}

impl<C: Content> Reload<C> {
    /// Reads the files for the first time. Bad files are logged, not an error: they may still be
    /// written.
    pub fn start(content: C) -> Self {
        let state = State { seen: None, problem: None, logged: false, loaded: false };
        let reload = Self { content, state: Mutex::new(state) };
        reload.check();
        reload
    }

    /// Whether good content is in use, or why not.
    pub fn ready(&self) -> Result<(), String> {
        let state = self.state.lock();
        if state.loaded {
            return Ok(());
        }
        Err(state.problem.clone().unwrap_or_else(|| "no certificate is loaded".to_owned()))
    }

    /// Reads the files, and uses their content if it is new and good.
    ///
    /// Bad content while good content is in use is logged only if the next check still finds it,
    /// because two files are not always written together; and then once.
    pub fn check(&self) {
        let read = self.content.read().map_err(|error| error.to_string());
        let mut state = self.state.lock();
        if state.seen.as_ref() == Some(&read) {
            self.log(&mut state);
            return;
        }
        let adopted = match &read {
            Ok(bytes) => self.content.adopt(bytes).map_err(|error| error.to_string()),
            Err(error) => Err(error.clone()),
        };
        state.seen = Some(read);
        state.logged = false;
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
                    self.log(&mut state);
                }
            }
        }
    }

    fn log(&self, state: &mut State<C::Bytes>) {
        if state.logged {
            return;
        }
        if let Some(problem) = &state.problem {
            tracing::error!(
                error = %problem,
                kept_the_last_good = state.loaded,
                "failed to load certificates"
            );
            self.content.changed(false);
            state.logged = true;
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
