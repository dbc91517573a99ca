//! Who may call what: one shared token for each role, and a table. What the table does not name is
//! forbidden to everybody but the admin; what no service has is unknown to gRPC anyway.

use super::errors::Error;
use super::options::Tokens;
use tonic::codegen::http::HeaderMap;

/// Who calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Collection desks and couriers.
    Desk,
    /// Laboratories.
    Lab,
    /// The command centre.
    Office,
    /// Administrators.
    Admin,
}

/// What a role may call, by the beginning of the path.
const MAY: &[(Role, &str)] = &[
    (Role::Desk, "/swabline.v1.Recording/"),
    (Role::Lab, "/swabline.v1.Recording/"),
    (Role::Lab, "/swabline.v1.Queries/GetTube"),
    (Role::Office, "/swabline.v1.Recording/Check"),
    (Role::Office, "/swabline.v1.Recording/GetSource"),
    (Role::Office, "/swabline.v1.Queries/"),
    (Role::Office, "/swabline.v1.Progress/"),
    (Role::Office, "/swabline.v1.Planning/"),
    (Role::Admin, "/swabline.v1."),
];

/// Lets a call through or says why not.
pub fn authorise(tokens: Option<&Tokens>, headers: &HeaderMap, path: &str) -> Result<(), Error> {
    let Some(tokens) = tokens else { return Ok(()) };
    let given = headers
        .get("authorization")
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map_or("", |(_, token)| token.trim());
    let role = role(tokens, given).ok_or(Error::Unauthenticated)?;
    let may = MAY.iter().any(|(who, start)| *who == role && path.starts_with(start));
    if may { Ok(()) } else { Err(Error::Forbidden) }
}

/// The role of a token. Compares with every token in full, so that the time tells nothing.
fn role(tokens: &Tokens, given: &str) -> Option<Role> {
    let roles = [
        (&tokens.desk, Role::Desk),
        (&tokens.lab, Role::Lab),
        (&tokens.office, Role::Office),
        (&tokens.admin, Role::Admin),
    ];
    let mut found = None;
    for (token, role) in roles {
        if same(token, given) && !token.is_empty() {
            found = Some(role);
        }
    }
    found
}

/// Compares keyed hashes instead of the tokens: where they differ says nothing about the tokens.
fn same(left: &str, right: &str) -> bool {
    let hash = |text: &str| blake3::derive_key("swabline 2026 token comparison", text.as_bytes());
    let (left, right) = (hash(left), hash(right));
    left.iter().zip(right).fold(0, |differs, (l, r)| differs | (l ^ r)) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens() -> Tokens {
        Tokens {
            desk: "d-token".into(),
            lab: "l-token".into(),
            office: "o-token".into(),
            admin: "a-token".into(),
        }
    }

    fn ask(authorization: Option<&str>, call: &str) -> &'static str {
        let mut headers = HeaderMap::new();
        if let Some(value) = authorization {
            headers.insert("authorization", value.parse().unwrap());
        }
        match authorise(Some(&tokens()), &headers, &format!("/swabline.v1.{call}")) {
            Ok(()) => "may",
            Err(Error::Unauthenticated) => "who?",
            Err(Error::Forbidden) => "may not",
            Err(_) => "?",
        }
    }

    #[test]
    fn a_role_may_call_what_the_table_names_and_nothing_else() {
        let table = [
            (None, "Recording/Record", "who?"),
            (Some(""), "Recording/Record", "who?"),
            (Some("Bearer "), "Recording/Record", "who?"),
            (Some("Bearer d-tokem"), "Recording/Record", "who?"),
            (Some("Basic d-token"), "Recording/Record", "who?"),
            (Some("Bearer d-token"), "Recording/Record", "may"),
            (Some("bearer  d-token"), "Recording/Check", "may"),
            (Some("Bearer d-token"), "Queries/GetPerson", "may not"),
            (Some("Bearer d-token"), "Administration/Tick", "may not"),
            (Some("Bearer l-token"), "Recording/RecordBatch", "may"),
            (Some("Bearer l-token"), "Queries/GetTube", "may"),
            (Some("Bearer l-token"), "Queries/GetPerson", "may not"),
            (Some("Bearer o-token"), "Queries/GetPerson", "may"),
            (Some("Bearer d-token"), "Queries/GetPeople", "may not"),
            (Some("Bearer o-token"), "Queries/GetPeople", "may"),
            (Some("Bearer o-token"), "Progress/WatchProgress", "may"),
            (Some("Bearer o-token"), "Planning/SimulatePlan", "may"),
            (Some("Bearer d-token"), "Planning/GetForecast", "may not"),
            (Some("Bearer l-token"), "Planning/CheckPlan", "may not"),
            (Some("Bearer o-token"), "Recording/RecordBatch", "may not"),
            (Some("Bearer o-token"), "Administration/OpenRound", "may not"),
            (Some("Bearer a-token"), "Administration/OpenRound", "may"),
            (Some("Bearer a-token"), "Recording/Record", "may"),
            (Some("Bearer d-token"), "Nothing/AtAll", "may not"),
        ];
        for (authorization, call, expected) in table {
            assert_eq!(ask(authorization, call), expected, "{authorization:?} {call}");
        }
    }

    #[test]
    fn an_empty_token_lets_nobody_in() {
        let tokens = Tokens { admin: "a".into(), ..Tokens::default() };
        let mut headers = HeaderMap::new();
        headers.insert("authorization", "Bearer ".parse().unwrap());
        let asked = authorise(Some(&tokens), &headers, "/swabline.v1.Recording/Record");
        assert!(matches!(asked, Err(Error::Unauthenticated)));
        assert!(authorise(None, &HeaderMap::new(), "/swabline.v1.Recording/Record").is_ok());
    }
}
