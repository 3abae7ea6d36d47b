//! Addresses of other machines, one by one or by network.

use std::net::IpAddr;
use std::str::FromStr;

use ipnet::IpNet;
use serde::{Deserialize, Deserializer, de::Error as _};

/// A list of networks, as `10.0.0.0/8`; a single address is a network of one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Networks(Vec<IpNet>);

impl Networks {
    /// Networks that are known here.
    pub fn of(networks: impl IntoIterator<Item = IpNet>) -> Self {
        Self(networks.into_iter().collect())
    }

    /// This machine, by both kinds of address.
    pub fn this_machine() -> Self {
        let (four, six) = (IpAddr::from([127, 0, 0, 0]), IpAddr::from([0, 0, 0, 0, 0, 0, 0, 1]));
        Self::of([IpNet::new_assert(four, 8), IpNet::from(six)])
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether an address is in one of them. One of IPv4 that came over a socket of IPv6 is the one of IPv4.
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }
}

impl FromStr for Networks {
    type Err = String;

    /// Reads a list with commas, as it stands in a variable of the environment. An empty text is an empty list.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.split(',').map(str::trim).filter(|one| !one.is_empty()).map(network).collect::<Result<_, _>>().map(Self)
    }
}

impl<'de> Deserialize<'de> for Networks {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let texts = Vec::<String>::deserialize(deserializer)?;
        texts.iter().map(|text| network(text)).collect::<Result<_, _>>().map(Self).map_err(D::Error::custom)
    }
}

fn network(text: &str) -> Result<IpNet, String> {
    let whole = text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
    // What is written is what is meant: 10.1.2.3/8 is read as the network that it lies in.
    whole.map(|network| network.trunc()).map_err(|_| {
        format!("\"{text}\" is neither an address nor a network; write it as \"10.0.0.7\" or \"10.0.0.0/8\"")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_found_by_its_network_also_through_a_socket_of_ipv6() {
        let networks: Networks = "10.0.0.7, 172.16.0.0/12,fd00::/8".parse().unwrap();

        for inside in ["10.0.0.7", "172.18.0.3", "::ffff:172.18.0.3", "fd00::1"] {
            assert!(networks.contains(inside.parse().unwrap()), "{inside}");
        }
        for outside in ["10.0.0.8", "172.32.0.1", "::1", "fe80::1"] {
            assert!(!networks.contains(outside.parse().unwrap()), "{outside}");
        }
    }

    #[test]
    fn what_is_no_address_is_refused_with_its_text() {
        for wrong in ["10.0.0", "10.0.0.0/33", "proxy", "0.0.0.0/0/0"] {
            let refusal = wrong.parse::<Networks>().unwrap_err();

            assert!(refusal.contains(wrong), "{refusal}");
        }
    }

    #[test]
    fn an_empty_text_is_nobody() {
        let nobody: Networks = "".parse().unwrap();

        assert!(!nobody.contains([127, 0, 0, 1].into()));
        assert!(Networks::this_machine().contains([127, 0, 0, 9].into()));
        assert!(Networks::this_machine().contains("::1".parse().unwrap()));
    }
}
