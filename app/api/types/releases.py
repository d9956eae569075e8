"""Releases, their commits and deploys, and what sentry-cli uploads for them."""

from typing import Annotated, Literal, Required, TypedDict

from app.api.describing import Moment, Upload, about, one_of
from app.domain.commit_lists import CHANGES
from app.models.artifacts import ASSEMBLING, ERROR, OK, WAITING
from app.services.releases.assembling import NOT_FOUND
from app.services.releases.releasing import STATUSES

Hash = Annotated[str, about(example="356a192b7913b04c54574d18c28d46e6395428ab")]


class AuthorJson(TypedDict):
    name: Annotated[str, about(example="Ann")]
    email: str


class CommitRepositoryJson(TypedDict):
    id: str
    name: Annotated[str, about(example="acme/shop")]


class CommitJson(TypedDict):
    """A commit of a release."""

    id: Hash
    message: Annotated[str, about(example="Refuse empty carts\n\nFixes SHOP-1")]
    dateCreated: Moment
    author: AuthorJson
    repository: CommitRepositoryJson
    url: Annotated[str | None, about("Its page where the repository is kept.", example=None)]


class DeployJson(TypedDict):
    """A deploy of a release."""

    id: str
    environment: str
    name: Annotated[str | None, about(example="rollout 12")]
    url: Annotated[str | None, about(example="https://ci.example.org/12")]
    dateStarted: Moment | None
    dateFinished: Moment


class ReleaseProjectJson(TypedDict):
    id: str
    slug: str
    name: str


class ReleaseJson(TypedDict):
    """A release."""

    id: int
    version: str
    shortVersion: Annotated[str, about("Without the package.", example="1.4.0")]
    url: Annotated[str | None, about(example=None)]
    ref: Annotated[str | None, about("What it was built of, as was said.", example=None)]
    status: Annotated[str, one_of(STATUSES)]
    dateCreated: Moment
    dateReleased: Moment | None
    newGroups: Annotated[int, about("Issues that were first seen in it.", example=2)]
    commitCount: int
    deployCount: int
    lastCommit: CommitJson | None
    lastDeploy: DeployJson | None
    firstEvent: Annotated[Moment | None, about("When its first event happened.")]
    lastEvent: Annotated[Moment | None, about("When its last event happened, as far as one came.")]
    authors: Annotated[list[AuthorJson], about("Of its commits.")]
    projects: list[ReleaseProjectJson]


class ChangedFileJson(TypedDict, total=False):
    path: Annotated[str, about(example="shop/views.py")]
    type: Annotated[str, about("Added, changed or deleted.", example="M"), one_of(CHANGES)]


class SentCommitJson(TypedDict, total=False):
    id: Required[Annotated[str, about("The whole hash.", example="356a192b7913b04c54574d18c28d46e6395428ab")]]
    message: Annotated[
        str | None,
        about(
            "`Fixes SHOP-1` resolves that issue in the release.", example="Refuse empty carts\n\nFixes SHOP-1"
        ),
    ]
    author_name: Annotated[str | None, about(example="Ann")]
    author_email: Annotated[str | None, about(example="ann@example.org")]
    timestamp: Moment | None
    repository: Annotated[str | None, about(example="acme/shop")]
    patch_set: list[ChangedFileJson] | None


class RefJson(TypedDict, total=False):
    """Where a release stands in a repository."""

    repository: Required[Annotated[str, about(example="acme/shop")]]
    commit: Required[Annotated[str, about("A hash, or a range `a..b`.", example="abc1234")]]
    previousCommit: Annotated[str | None, about("Where the release before it stood.", example=None)]


class ReleaseChangeJson(TypedDict, total=False):
    """What is absent or null stays."""

    projects: Annotated[list[str | int] | None, about("Further ones, by slug or id.", example=["shop"])]
    url: str | None
    ref: str | None
    dateReleased: Annotated[Moment | None, about("Finalizes it.")]
    dateStarted: Moment | None
    status: Annotated[str, one_of(STATUSES)] | None
    commits: Annotated[list[SentCommitJson] | None, about("All commits of the release, newest first.")]
    refs: Annotated[list[RefJson] | None, about("An empty list clears the commits.")]


class NewReleaseJson(ReleaseChangeJson):
    version: Annotated[str, about("Up to 200 characters, without slashes.", example="shop@1.4.0")]


class NewDeployJson(TypedDict, total=False):
    environment: Required[str]
    name: Annotated[str | None, about(example="rollout 12")]
    url: Annotated[str | None, about(example="https://ci.example.org/12")]
    dateStarted: Moment | None
    dateFinished: Annotated[Moment | None, about("Now, if absent.")]
    projects: Annotated[list[str | int] | None, about("All of the release, if absent.", example=["shop"])]


class ProviderJson(TypedDict):
    id: Literal["unknown"]
    name: Literal["Unknown Provider"]


class RepositoryJson(TypedDict):
    """A repository that commits were seen of."""

    id: str
    name: Annotated[str, about(example="acme/shop")]
    url: Annotated[str | None, about(example="https://git.example.org/acme/shop")]
    provider: Annotated[ProviderJson, about("Always unknown, so that sentry-cli sends whole commits.")]
    status: Literal["active"]
    dateCreated: Moment


class HowToUploadJson(TypedDict):
    """What an upload has to keep to."""

    url: Annotated[
        str,
        about(
            "Where chunks are sent.",
            example="https://tocsin.example.org/api/0/organizations/acme/chunk-upload/",
        ),
    ]
    chunkSize: Annotated[int, about("Bytes of a chunk, at most.", example=8388608)]
    chunksPerRequest: Annotated[int, about(example=64)]
    maxRequestSize: Annotated[int, about("Bytes.", example=33554432)]
    maxFileSize: Annotated[int, about("Bytes.", example=2147483648)]
    concurrency: Annotated[int, about("Requests at a time.", example=8)]
    hashAlgorithm: Literal["sha1"]
    compression: Annotated[list[str], about(example=["gzip"])]
    accept: Annotated[list[str], about("What may be uploaded.", example=["artifact_bundles"])]


class ChunksForm(TypedDict, total=False):
    """At least one; the filename of each is the SHA-1 of its content, before it was packed."""

    file: list[Upload]
    file_gzip: Annotated[list[Upload], about("Packed with gzip.")]


class UploadErrorJson(TypedDict):
    """What is wrong with the upload."""

    error: Annotated[str, about(example="The filename of a chunk is the SHA-1 of its content.")]


class BundleJson(TypedDict, total=False):
    """A bundle whose chunks were uploaded, or are to be."""

    checksum: Required[
        Annotated[str, about("SHA-1 of the whole.", example="356a192b7913b04c54574d18c28d46e6395428ab")]
    ]
    chunks: Required[
        Annotated[
            list[str],
            about("SHA-1 of each chunk, in order.", example=["356a192b7913b04c54574d18c28d46e6395428ab"]),
        ]
    ]
    dist: str | None


class ProjectsBundleJson(BundleJson, total=False):
    projects: Required[Annotated[list[str | int], about("By slug or id.", example=["shop"])]]
    version: Annotated[str | None, about("The release that it is for.", example="shop@1.4.0")]


class AssembledJson(TypedDict):
    """How far a bundle is."""

    state: Annotated[str, one_of((NOT_FOUND, WAITING, ASSEMBLING, OK, ERROR))]
    missingChunks: Annotated[list[str], about("To be uploaded first.", example=[])]
    detail: Annotated[str | None, about("What went wrong.", example=None)]


class FileForm(TypedDict, total=False):
    file: Required[Upload]
    name: Annotated[str, about("Its address; the filename, if absent.", example="~/static/app.js.map")]
    dist: str
    header: Annotated[list[str], about("Headers of it, such as `Sourcemap: app.js.map`.")]


class ReleaseFileJson(TypedDict):
    """A file of a release."""

    id: str
    name: Annotated[str, about("Its address.", example="~/static/app.js.map")]
    sha1: str | None
    size: Annotated[int, about("Bytes.", example=51200)]
    dist: Annotated[str | None, about(example=None)]
    headers: Annotated[dict[str, str], about(example={"Sourcemap": "app.js.map"})]
    dateCreated: Moment
