"""Files that are secrets by their name: nothing of them is kept."""

import re
from pathlib import PurePosixPath

_NAMES = frozenset(
    ".netrc _netrc .pypirc .htpasswd .pgpass .my.cnf .mylogin.cnf .git-credentials .dockercfg "
    ".vault_pass .vault-token .s3cfg .boto .rclone.conf .kubeconfig kubeconfig "
    "id_rsa id_dsa id_ecdsa id_ed25519 id_ecdsa_sk id_ed25519_sk "
    "credentials.json client_secret.json client_secrets.json secrets.json secrets.yml "
    "secrets.yaml secrets.toml secrets.ini secrets.env .secrets.toml token.json "
    "terraform.tfstate terraform.tfstate.backup".split()
)
_SUFFIXES = frozenset(
    ".pem .p12 .pfx .p8 .ppk .key .jks .keystore .kdbx .kdb .pkcs12 .asc .gpg .pgp .ovpn "
    ".tfvars .tfstate .mobileprovision .agekey".split()
)
_FOLDERS = frozenset([".ssh", ".aws", ".gnupg", ".azure"])
_ENV = re.compile(r"\.env(?:rc)?(?:\..+)?|.+\.env")
_SERVICE_ACCOUNT = re.compile(r"(?:.*service[-_]account.*|.*-firebase-adminsdk-.*)\.json")
# An example shows names, not values; what it holds after all is redacted like any text.
_EXAMPLE = re.compile(
    r".*[._-](?:example|sample|template|tmpl|dist|defaults?)(?:\.\w+)?|(?:example|sample)[._-].*"
)


def is_secret_name(path: str) -> bool:
    """Return whether a path names a file of secrets, such as `.env` or `deploy/id_rsa`."""
    place = PurePosixPath(path.lower())
    name = place.name
    if _EXAMPLE.fullmatch(name):
        return False
    if name in _NAMES or place.suffix in _SUFFIXES or _ENV.fullmatch(name):
        return True
    if _SERVICE_ACCOUNT.fullmatch(name):
        return True
    return not _FOLDERS.isdisjoint(place.parts[:-1])


_KEY_FILE = re.compile(r"\s*(?:-----BEGIN [A-Z0-9 ]*PRIVATE KEY|PuTTY-User-Key-File-\d)")
_NPM_TOKEN = re.compile(r"_auth(?:Token)?\s*=|_password\s*=", re.IGNORECASE)


def is_secret_content(path: str, text: str) -> bool:
    """Return whether a file is a private key, or settings that hold a token, as a whole."""
    name = path.rpartition("/")[2].lower()
    if name in (".npmrc", ".yarnrc", ".yarnrc.yml"):
        return _NPM_TOKEN.search(text) is not None or "npmAuthToken" in text
    return _KEY_FILE.match(text) is not None
