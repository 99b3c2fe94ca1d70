//! Whether a user can read the password of an account: by asking for it.

use ldap3::ldap_escape;
use zeroize::Zeroizing;

use crate::directory::Directory;
use crate::error::Error;
use crate::managed_password::ManagedPassword;

const ATTRIBUTE: &str = "msDS-ManagedPassword";
/// The Windows error for an attribute that may not be read; the text of an answer begins with it.
const NO_RIGHT: &str = "00002121";

impl Directory {
    /// Asks for the managed password of an account. None if the user who is logged on may not read it:
    /// the controller then usually leaves the attribute out without an error.
    pub async fn managed_password(&self, name: &str) -> Result<Option<ManagedPassword>, Error> {
        let name = name.trim_end_matches('$');
        let what = format!("ask for the managed password of {name}");
        let filter = format!("(sAMAccountName={}$)", ldap_escape(name));
        let mut found = match self.find(&filter, &[ATTRIBUTE], &what).await {
            // Samba's error if no principal may read it.
            Err(Error::Operation { code: 1, why, .. }) if why.contains(NO_RIGHT) => {
                return Ok(None);
            }
            found => found?,
        };
        let entry = found.first_mut();
        let entry = entry.ok_or_else(|| self.not_found(format!("the account {name}")))?;
        let Some(value) = entry.take(ATTRIBUTE).map(Zeroizing::new) else { return Ok(None) };
        let password = ManagedPassword::from_bytes(&value);
        password.map(Some).map_err(|error| self.answer(&entry.dn, ATTRIBUTE, &error))
    }
}
