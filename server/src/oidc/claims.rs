//! What stands in a token that was verified, or in what the provider says besides.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

/// The claims of a token in its compact form. Whether they hold was looked at before.
pub(super) fn of(token: &str) -> Option<Value> {
    let payload = token.split('.').nth(1)?;
    let bytes = URL_SAFE_NO_PAD.decode(payload).ok()?;
    serde_json::from_slice(&bytes).ok()
}

/// The claim of a name; a name with dots that no claim has is a way into claims, as `realm_access.roles`.
pub(super) fn claim<'c>(claims: &'c Value, name: &str) -> Option<&'c Value> {
    claims.get(name).or_else(|| name.split('.').try_fold(claims, |inside, part| inside.get(part)))
}

/// The claim of a name, if it is a text.
pub(super) fn text<'c>(claims: &'c Value, name: &str) -> Option<&'c str> {
    claim(claims, name)?.as_str()
}

/// The claim of a name, if it is a moment: in seconds there, in milliseconds here.
pub(super) fn moment(claims: &Value, name: &str) -> Option<i64> {
    claims.get(name)?.as_i64()?.checked_mul(1_000)
}

/// Whether a claim says no. Some providers write a flag as a text.
pub(super) fn says_no(claim: &Value) -> bool {
    *claim == Value::Bool(false) || claim.as_str() == Some("false")
}

/// The groups that a claim names: a list of texts, or one text.
pub(super) fn groups(claim: &Value) -> Vec<String> {
    match claim {
        Value::String(group) => vec![group.clone()],
        Value::Array(groups) => groups.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_claim_is_found_by_its_name_and_else_by_the_way_to_it() {
        let claims = json!({ "groups": ["a"], "x.y": 1, "x": { "y": 2 }, "realm_access": { "roles": ["ops"] } });

        assert_eq!(claim(&claims, "groups"), Some(&json!(["a"])));
        assert_eq!(claim(&claims, "x.y"), Some(&json!(1)));
        assert_eq!(claim(&claims, "realm_access.roles"), Some(&json!(["ops"])));
        assert_eq!(claim(&claims, "realm_access.other"), None);
    }

    #[test]
    fn groups_are_texts_and_nothing_else_is() {
        assert_eq!(groups(&json!(["a", 7, null, "b"])), ["a", "b"]);
        assert_eq!(groups(&json!("a")), ["a"]);
        assert!(groups(&json!({ "a": true })).is_empty());
    }

    #[test]
    fn the_claims_of_a_token_are_its_middle() {
        let payload = URL_SAFE_NO_PAD.encode(r#"{"sub":"7","auth_time":1700000000}"#);
        let claims = of(&format!("x.{payload}.y")).unwrap();

        assert_eq!((text(&claims, "sub"), moment(&claims, "auth_time")), (Some("7"), Some(1_700_000_000_000)));
        assert!(of("x").is_none() && of("x.%.y").is_none());
    }
}
