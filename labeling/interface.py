"""What annotators work with: Label Studio's labelling interface for two hands.

A hand is one region of `VectorLabels` in skeleton mode: edges are drawn, every joint can be dragged
alone (an edge drags the whole hand), Alt+click deletes a joint, and each vertex keeps the name that
it was pushed with. Which joints are occluded or outside the image are per-region choices.
"""

from typing import Final
from xml.sax.saxutils import quoteattr

from frames.skeleton import KEYPOINT_NAMES, KEYPOINTS

IMAGE: Final = "img"
"""Name of the image that is labelled."""

HAND: Final = "hand"
OCCLUDED: Final = "occluded"
OUTSIDE: Final = "outside"
OWNER: Final = "owner"
QUALITY: Final = "quality"
NOTE: Final = "note"

LABELS: Final = {"Left": "left", "Right": "right"}
"""The labels and the sides they stand for: the person's own."""

OTHER_PERSON: Final = "another person's"
UNUSABLE: Final = "unusable"
UNSURE: Final = "unsure"
QUALITIES: Final = (UNUSABLE, UNSURE)

BESIDE: Final = {"previous": "previous frame", "color": "colour", "infrared": "infrared"}
"""Pictures that may be shown beside the depth: their key in a task's data, and what they are."""

_SIDE_PX: Final = 250
"""Width of the column beside the image."""

_LABEL_COLORS: Final = {"Left": "#ff5d8f", "Right": "#ffb000"}

_VECTORS: Final = (
    f'<VectorLabels name="{HAND}" toName="{IMAGE}" skeleton="true" closable="false" curves="false"'
    f' minPoints="{KEYPOINTS}" maxPoints="{KEYPOINTS}" pointStyle="circle" pointsizeenabled="5"'
    ' pointsizedisabled="4" strokeWidth="2" opacity="0.9" snap="none">'
)

_IMAGE_OPTIONS: Final = (
    'zoom="true" zoomControl="true" negativeZoom="true" brightnessControl="true"'
    ' contrastControl="true" smoothing="false" defaultZoom="fit"'
)


def build_interface(beside: tuple[str, ...]) -> str:
    """The labelling interface's XML.

    beside: keys of `BESIDE` whose pictures every task of the project has.
    """
    joints = "".join(f"<Choice value={quoteattr(name)}/>" for name in KEYPOINT_NAMES)
    labels = "".join(
        f'<Label value="{name}" background="{_LABEL_COLORS[name]}"/>' for name in LABELS
    )
    others = "".join(
        f'<Header value="{BESIDE[key]}" size="6"/>'
        f'<Image name="{key}" value="${key}" smoothing="false" defaultZoom="fit"/>'
        for key in beside
    )

    def choose(name: str, title: str, choices: str) -> str:
        return (
            f'<Header value="{title}" size="6"/><Choices name="{name}" toName="{IMAGE}"'
            f' perRegion="true" choice="multiple" showInline="true">{choices}</Choices>'
        )

    hand = (
        choose(OCCLUDED, "something hides", joints)
        + choose(OUTSIDE, "outside the image", joints)
        + choose(OWNER, "whose hand", f"<Choice value={quoteattr(OTHER_PERSON)}/>")
    )
    return (
        '<View><Header value="$caption" size="6"/>'
        '<View style="display: flex; gap: 12px; align-items: flex-start">'
        f'<View style="flex: 1 1 auto; min-width: 0">{_VECTORS}{labels}</VectorLabels>'
        f'<Image name="{IMAGE}" value="$image" {_IMAGE_OPTIONS}/></View>'
        f'<View style="flex: 0 0 {_SIDE_PX}px; width: {_SIDE_PX}px; font-size: 12px">{others}'
        f'<Header value="the frame" size="6"/><Choices name="{QUALITY}" toName="{IMAGE}"'
        ' choice="multiple" showInline="true">'
        f'<Choice value="{UNUSABLE}"/><Choice value="{UNSURE}"/></Choices>'
        f'<TextArea name="{NOTE}" toName="{IMAGE}" rows="1" maxSubmissions="1"'
        ' placeholder="what a colleague should know"/>'
        f'<View visibleWhen="region-selected">{hand}</View></View></View></View>'
    )


INSTRUCTION: Final = (
    "<p>Each hand has 21 joints. Drag a joint to move it, an edge to move the whole hand;"
    " <b>Alt+click</b> deletes a joint of which nothing can be said."
    " Select a hand to mark its joints that something hides (place them where they must be) or that"
    " lie outside the image. <b>Left</b> and <b>Right</b> are the person's own.</p>"
    "<p>A small open hand in a lower corner is a spare: leave it there if there is no such hand, or"
    " drag it to the hand that was not found. Delete hands that are not there.</p>"
)
"""What annotators are told, as HTML."""
