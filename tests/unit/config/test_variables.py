import re
from pathlib import Path

from config.variables import documented_variables

ROOT = Path(__file__).resolve().parents[3]
READ_BY = re.compile(r"""(?:\benv\.\w+|os\.environ(?:\.get)?|os\.getenv)[(\[]\s*["']([A-Z][A-Z0-9_]*)["']""")
# Of the tests, of programs around us, and what a process of ours tells another: not of the service's users.
FOREIGN = {"DJANGO_SETTINGS_MODULE", "TEST_POSTGRES_URL", "CRM_DRILL_SERVICE_PORT"}


def _read_variables() -> set[str]:
    code = [
        path
        for app in ("config", "crm_api", "crm_events", "crm_mappings", "crm_projections")
        for path in (ROOT / app).rglob("*.py")
    ]
    return {name for path in code for name in READ_BY.findall(path.read_text())} - FOREIGN


def test_documents_every_variable_that_the_code_reads() -> None:
    assert _read_variables() - set(documented_variables(ROOT / ".env.example")) == set()


def test_reads_names_and_defaults_of_the_documented_variables() -> None:
    documented = documented_variables(ROOT / ".env.example")
    assert (documented["PORT"], documented["DATABASE_URL"]) == ("8000", "")
