//! Whether a CA signed a certificate: what `install`, `status` and `doctor` ask alike.

use x509_parser::error::X509Error;
use x509_parser::pem::Pem;

/// Whether a CA signed a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Signed {
    /// No CA did.
    No,
    /// A CA of the right name may have: the algorithm of the signature cannot be verified here.
    Unverifiable,
    /// One did.
    Yes,
}

/// What [`Signed::Unverifiable`] means, for a message.
pub const UNVERIFIABLE: &str =
    "the algorithm of the certificate's signature cannot be verified here";

/// The certificates of a text in PEM.
pub fn pems(bytes: &[u8]) -> Vec<Pem> {
    Pem::iter_from_buffer(bytes).flatten().collect()
}

/// Whether any of the CAs signed any certificate of the chain.
pub fn signed(chain: &[Pem], authorities: &[Pem]) -> Signed {
    let pairs = chain.iter().flat_map(|one| authorities.iter().map(move |ca| (one, ca)));
    pairs.map(|(one, ca)| signed_by(one, ca)).max().unwrap_or(Signed::No)
}

fn signed_by(one: &Pem, ca: &Pem) -> Signed {
    let (Ok(one), Ok(ca)) = (one.parse_x509(), ca.parse_x509()) else { return Signed::No };
    if one.issuer() != ca.subject() {
        return Signed::No;
    }
    match one.verify_signature(Some(ca.public_key())) {
        Ok(()) => Signed::Yes,
        Err(X509Error::SignatureVerificationError) => Signed::No,
        Err(_) => Signed::Unverifiable,
    }
}

#[cfg(test)]
mod tests {
    use gmsa_testkit::pki::Authority;

    use super::{Signed, pems, signed};

    /// ecdsa-with-SHA256 (RFC 5758), as DER.
    const ECDSA_SHA256: [u8; 10] = [0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02];

    #[test]
    fn the_best_answer_of_all_pairs_counts() {
        let (ca, same_name, other) =
            (Authority::new("ca"), Authority::new("ca"), Authority::new("other"));
        let chain = pems(ca.server(&["localhost"]).cert.as_bytes());
        let by = |bundle: &str| signed(&chain, &pems(bundle.as_bytes()));
        assert_eq!(by(ca.pem()), Signed::Yes);
        assert_eq!(by(&format!("{}{}", other.pem(), ca.pem())), Signed::Yes);
        assert_eq!(by(other.pem()), Signed::No);
        assert_eq!(by(same_name.pem()), Signed::No, "the same name with another key");
        assert_eq!(by(""), Signed::No);
    }

    #[test]
    fn an_algorithm_that_cannot_be_verified_is_neither_signed_nor_not() {
        let (ca, other) = (Authority::new("ca"), Authority::new("other"));
        let mut chain = pems(ca.server(&["localhost"]).cert.as_bytes());
        let contents = &mut chain[0].contents;
        // Both places name ecdsa-with-SHA224 then, which nothing here verifies.
        let mut places = 0;
        for at in 0..contents.len() - ECDSA_SHA256.len() {
            if contents[at..].starts_with(&ECDSA_SHA256) {
                contents[at + 9] = 0x01;
                places += 1;
            }
        }
        assert_eq!(places, 2);
        assert_eq!(signed(&chain, &pems(ca.pem().as_bytes())), Signed::Unverifiable);
        assert_eq!(signed(&chain, &pems(other.pem().as_bytes())), Signed::No, "another name");
    }
}
