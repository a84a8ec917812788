"""All engines, by name, in the order in which they are shown."""

from typing import Final

from engines.dynamodb import DynamoDBLocal
from engines.engine import Engine
from engines.ministack import Ministack
from engines.opensearch import OpenSearch
from engines.postgres import Postgres
from engines.rabbitmq import RabbitMQ
from engines.redis import Redis

# RabbitMQ before Redis: where both run, the later one is the broker that the variables name.
ENGINES: Final[dict[str, Engine]] = {
    engine.name: engine for engine in (DynamoDBLocal(), OpenSearch(), Ministack(), Postgres(), RabbitMQ(), Redis())
}
# What the whole service runs on; RabbitMQ is there for whoever asks for it.
USUAL: Final = ("dynamodb", "opensearch", "aws", "postgres", "redis")
# What boto3 wants from the environment wherever an engine stands in for AWS.
INVENTED_AWS: Final = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}
