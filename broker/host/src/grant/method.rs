//! HTTP methods that can be granted.

use std::{fmt, str::FromStr};

/// An HTTP method in upper case. Never `CONNECT`, which would make a tunnel past every other check, nor `TRACE`, whose
/// answer shows the credential.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Method(http::Method);

/// A method that cannot be granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MethodError {
    /// Not letters in upper case.
    #[error("a method is written in capital letters, like GET or POST")]
    Form,
    /// `CONNECT` or `TRACE`.
    #[error("CONNECT and TRACE cannot be granted")]
    Forbidden,
}

impl MethodError {
    /// Stable code.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Form => "method_invalid",
            Self::Forbidden => "method_forbidden",
        }
    }
}

impl Method {
    /// The method as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl TryFrom<http::Method> for Method {
    type Error = MethodError;

    fn try_from(method: http::Method) -> Result<Self, MethodError> {
        if method == http::Method::CONNECT || method == http::Method::TRACE {
            return Err(MethodError::Forbidden);
        }
        let allowed = method.as_str().len() <= 32
            && method
                .as_str()
                .bytes()
                .all(|byte| byte.is_ascii_uppercase() || byte == b'-');
        if allowed {
            Ok(Self(method))
        } else {
            Err(MethodError::Form)
        }
    }
}

impl FromStr for Method {
    type Err = MethodError;

    fn from_str(text: &str) -> Result<Self, MethodError> {
        http::Method::from_bytes(text.as_bytes())
            .map_err(|_| MethodError::Form)?
            .try_into()
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tunnels_and_traces_cannot_be_granted() {
        assert_eq!("CONNECT".parse::<Method>(), Err(MethodError::Forbidden));
        assert_eq!("TRACE".parse::<Method>(), Err(MethodError::Forbidden));
        assert_eq!("connect".parse::<Method>(), Err(MethodError::Form));
        assert_eq!("".parse::<Method>(), Err(MethodError::Form));
        assert_eq!("PATCH".parse::<Method>().unwrap().as_str(), "PATCH");
    }
}
