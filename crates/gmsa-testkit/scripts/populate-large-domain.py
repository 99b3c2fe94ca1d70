"""Fills the second realm of the tests: 3,000 computers, 1,200 accounts, a group of 2,000, groups in
groups, and an OU with commas and quotes in its name. One transaction, by Samba's own bindings."""

import sys

from ldb import SCOPE_BASE
from samba.auth import system_session
from samba.dcerpc import security
from samba.ndr import ndr_pack, ndr_unpack
from samba.param import LoadParm
from samba.samdb import SamDB

COMPUTERS, ACCOUNTS, MEMBERS = 3000, 1200, 2000

conf, database = sys.argv[1:]
lp = LoadParm()
lp.load(conf)
db = SamDB(url=database, session_info=system_session(lp), lp=lp)
base = db.domain_dn()
realm = "corp.fabrikam.example"
ou = f'OU=Shops\\, \\"north\\" \\+ south,{base}'

db.transaction_start()
db.add({"dn": ou, "objectClass": "organizationalUnit"})
nodes = []
for number in range(COMPUTERS):
    name = f"NODE{number:04}"
    nodes.append(f"CN={name},CN=Computers,{base}")
    computer = {
        "dn": nodes[-1],
        "objectClass": "computer",
        "sAMAccountName": f"{name}$",
        "userAccountControl": "4096",
    }
    # Every tenth has not registered its name.
    if number % 10 != 9:
        computer["dNSHostName"] = f"{name.lower()}.{realm}"
    db.add(computer)


def group(name, members):
    dn = f"CN={name},CN=Users,{base}"
    db.add({"dn": dn, "objectClass": "group", "sAMAccountName": name, "member": members})
    return dn


large = group("large", nodes[:MEMBERS])
middle = group("middle", [large])
outer = group("outer", [middle])
domain_sid = security.dom_sid(db.get_domain_sid())


def allowing(dn):
    """The descriptor that lets a group read the password."""
    found = db.search(base=dn, scope=SCOPE_BASE, attrs=["objectSid"])
    sid = ndr_unpack(security.dom_sid, found[0]["objectSid"][0])
    return ndr_pack(security.descriptor.from_sddl(f"O:BAD:(A;;0xf01ff;;;{sid})", domain_sid))


memberships = [allowing(large), allowing(outer)]
for number in range(ACCOUNTS):
    name = f"svc{number:04}"
    container = ou if number % 100 == 7 else f"CN=Managed Service Accounts,{base}"
    db.add({
        "dn": f"CN={name},{container}",
        "objectClass": "msDS-GroupManagedServiceAccount",
        "sAMAccountName": f"{name}$",
        "dNSHostName": f"{name}.{realm}",
        "userAccountControl": "4096",
        "msDS-ManagedPasswordInterval": "30",
        "msDS-SupportedEncryptionTypes": "24",
        "servicePrincipalName": f"http/{name}.{realm}",
        "msDS-GroupMSAMembership": memberships[number % 2],
    })
db.transaction_commit()
db.setpassword("(sAMAccountName=NODE0001$)", "H0st-pass", force_change_at_next_login=False)
