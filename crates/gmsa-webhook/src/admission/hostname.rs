//! Random hostnames, for the option of that name.

use gmsa_core::admission::RANDOM_HOSTNAME_PREFIX;
use gmsa_core::pod::HOSTNAME_LENGTH;

/// A fresh hostname: a DNS label of 15 characters, the most that Windows keeps.
pub(super) fn random() -> Result<String, getrandom::Error> {
    const ALPHABET: [char; 32] = [
        'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm', 'n', 'o', 'p', 'q', 'r',
        's', 't', 'u', 'v', 'w', 'x', 'y', 'z', '2', '3', '4', '5', '6', '7',
    ];
    let mut bytes = [0; HOSTNAME_LENGTH - RANDOM_HOSTNAME_PREFIX.len()];
    getrandom::fill(&mut bytes)?;
    let mut hostname = String::from(RANDOM_HOSTNAME_PREFIX);
    hostname
        .extend(bytes.iter().filter_map(|byte| ALPHABET.get(usize::from(*byte) % ALPHABET.len())));
    Ok(hostname)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::random;

    #[test]
    fn hostnames_are_labels_of_15_characters_and_differ() {
        let hostnames: BTreeSet<String> = (0..1000).map(|_| random().unwrap()).collect();
        assert_eq!(hostnames.len(), 1000);
        for hostname in hostnames {
            assert_eq!(hostname.len(), 15);
            assert!(gmsa_core::credspec::name::is_valid_name(&hostname), "{hostname}");
        }
    }
}
