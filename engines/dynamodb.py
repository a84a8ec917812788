"""DynamoDB Local, AWS's own, bound to loopback."""

from typing import ClassVar

from engines.engine import Launch, Site
from engines.health import http_answer
from engines.jvm import JavaEngine


class DynamoDBLocal(JavaEngine):
    """Keeps its data in memory, or in a file where it shall last; takes any region and any credentials."""

    name: ClassVar = "dynamodb"
    product: ClassVar = "DynamoDB Local"
    serves: ClassVar = "event store (dynamodb)"
    development_port: ClassVar = 28000
    source = "DynamoDBOnLoopback.java"
    release = "3.1.0"

    def launch(self, site: Site) -> Launch:
        """Any region and key see the same tables (-sharedDb)."""
        where = ["-dbPath", str(site.data)] if site.lasting else ["-inMemory"]
        options = ["-sharedDb", "-disableTelemetry", "-port", str(site.port)]
        return self.launch_java(site, "1g", *options, *where)

    def answers(self, site: Site) -> bool:
        """It refuses a request without credentials in its own words."""
        return "MissingAuthenticationToken" in http_answer(site.port, "/")[1]

    def url(self, site: Site) -> str:
        """Plain http."""
        return f"http://127.0.0.1:{site.port}"

    def variables(self, url: str) -> dict[str, str]:
        """boto3's own variable, and the adapter's name; with a change stream it would write many times slower."""
        return {"EVENT_STORE": "dynamodb", "AWS_ENDPOINT_URL_DYNAMODB": url, "DYNAMODB_CHANGE_STREAM": "false"}
