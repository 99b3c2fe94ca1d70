//! The admission endpoints.

/// An admission endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Endpoint {
    /// `/mutate`.
    Mutate,
    /// `/validate`.
    Validate,
    /// `/warn`.
    Warn,
    /// `/validate-credspec`.
    ValidateCredspec,
}

impl Endpoint {
    /// Every endpoint.
    pub const ALL: [Self; 4] = [Self::Mutate, Self::Validate, Self::Warn, Self::ValidateCredspec];

    /// The path without the slash.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Mutate => "mutate",
            Self::Validate => "validate",
            Self::Warn => "warn",
            Self::ValidateCredspec => "validate-credspec",
        }
    }

    /// The endpoint at a path. Those that only warn exist only with the option for early warnings.
    pub(super) fn at(path: &str, early_warnings: bool) -> Option<Self> {
        match path {
            "/mutate" => Some(Self::Mutate),
            "/validate" => Some(Self::Validate),
            "/warn" if early_warnings => Some(Self::Warn),
            "/validate-credspec" if early_warnings => Some(Self::ValidateCredspec),
            _ => None,
        }
    }
}
