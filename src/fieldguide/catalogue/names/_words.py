"""The closed sets of words that model names are made of; lower-case, as the other modules read them."""

from __future__ import annotations


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


PROVIDERS = _set(
    """
    302ai abacus agentcore aihubmix aiml amazon-bedrock ambient anyscale azure azure-cognitive-services azure_ai
    azure_text baseten bedrock bedrock_converse bedrock_mantle berget cerebras cf chatgpt chutes clarifai clf_ai_gateway
    cloudflare cloudflare-ai-gateway cloudflare-workers-ai cortecs crusoe darkbloom dashscope databricks deepinfra
    digitalocean drun evroc fal-ai fal_ai fastrouter featherless-ai featherless_ai fireworks fireworks-ai
    fireworks_ai friendli friendliai fw gemini github github-copilot github-models github_copilot gmi gmicloud
    google-vertex gradient_ai groq helicone heroku hf hf-inference hf.co huggingface huggingface.co hyperbolic
    inferenceapis inceptron io-net kilo kyma lambda_ai lemonade lilac litellm_proxy llamagate llmgateway lm_studio
    lmstudio mixlayer modelscope modelscope.cn morph nano-gpt nanogpt ncompass nearai nebius nlp_cloud novita
    novita-ai nscale nvidia_nim oci ollama ollama-cloud openai-compatible opencode opencode_go openrouter orcarouter
    ovhcloud perplexity poe predibase qwencloud replicate requesty routing-run sagemaker sambanova sap sap-ai-core
    scaleway siliconflow snowflake snowflake-cortex stackit submodel synthetic tensormesh together together_ai
    togetherai v0 venice vercel vercel_ai_gateway vertex vertex_ai vllm volcengine vultr wandb watsonx workers-ai
    workers_ai zenmux
    """
)
"""Who serves a model; a name before a slash that is none of them is read as its publisher."""

ALSO_FAMILIES = _set("abacus ambient chatgpt gemini lilac morph poe snowflake synthetic v0 venice vertex")
"""Providers whose name, at the head of a name, is more likely the family's or the publisher's."""

REGIONS = _set("us eu apac global global-standard us-gov jp au ca sa uk in ap")

FILLERS = _set(
    """
    @cf accounts models publishers locations projects library public route routers endpoints foundation-model
    inference-profile pro low medium high hd standard max
    """
)
"""Parts of a path that say nothing about who made the model."""

DOT_PUBLISHERS = _set(
    """
    ai21 amazon anthropic cohere deepseek google luma meta minimax mistral moonshot moonshotai nvidia openai qwen
    stability twelvelabs writer xai zai
    """
)
"""Publishers as Bedrock writes them before a dot."""

LEADING_PUBLISHERS = _set(
    """
    alibaba amazon anthropic arcee baidu c4ai cohere google meta microsoft mistralai nous nvidia openai snowflake xiaomi
    """
)
"""Publishers that some providers write as the first word of the name itself."""

BEFORE_FAMILY = _set("h2o multilingual open sentence")
"""Words of a variant that stand before the family."""

TASKS = _set("edit image-to-image image-to-video text-to-image text-to-video")
"""What fal.ai writes after the model."""

KINDS = {
    "audio": "audio",
    "asr": "audio",
    "chat": "chat",
    "code": "coder",
    "coder": "coder",
    "codex": "coder",
    "coding": "coder",
    "embed": "embedding",
    "embedding": "embedding",
    "embeddings": "embedding",
    "image": "image",
    "inst": "instruct",
    "instruct": "instruct",
    "it": "instruct",
    "math": "math",
    "maths": "math",
    "omni": "omni",
    "realtime": "audio",
    "reasoner": "reasoning",
    "reasoning": "reasoning",
    "rerank": "reranker",
    "reranker": "reranker",
    "stt": "audio",
    "think": "reasoning",
    "thinking": "reasoning",
    "transcribe": "audio",
    "tts": "audio",
    "video": "video",
    "vision": "vl",
    "vl": "vl",
}

FAMILY_KINDS = {
    "embeddinggemma": "embedding",
    "gpt-audio": "audio",
    "gpt-image": "image",
    "gpt-realtime": "audio",
    "mathstral": "math",
    "pixtral": "vl",
    "text-embedding": "embedding",
    "whisper": "audio",
}
"""Families whose name alone states the kind."""

BASE_IS_A_SIZE = _set(
    """
    albert arctic bge bert blip clip dasheng deberta e5 electra gist gte hubert jina monot5 roberta sentence siglip
    t5 unispeech wav2vec2 whisper xlm
    """
)
"""Families where `base` stands between small and large."""

COMPOUNDS = frozenset(
    (
        ("code", "llama"),
        ("dall", "e"),
        ("gpt", "oss"),
        ("gpt", "image"),
        ("gpt", "audio"),
        ("gpt", "realtime"),
        ("sentence", "transformer"),
        ("sentence", "transformers"),
        ("stable", "diffusion"),
        ("text", "embedding"),
    )
)
"""Two words that are one family."""

ONE_WORD = {("code", "llama"): "codellama"}
"""Of these, written as one word by their publisher."""

UNSPLIT = _set("ai21 bm25 e5 l3 m2m100 monot5 mt5 o1 o3 o4 siglip2 speecht5 t5 vjepa2 wav2vec2")
"""First words whose digits belong to the family."""

FORMATS = {
    "aqlm": "AQLM",
    "awq": "AWQ",
    "bnb": "bnb",
    "coreml": "CoreML",
    "exl2": "EXL2",
    "exl3": "EXL3",
    "flax": "Flax",
    "fp8": "FP8",
    "ggml": "GGML",
    "gguf": "GGUF",
    "gptq": "GPTQ",
    "hf": "HF",
    "hqq": "HQQ",
    "keras": "Keras",
    "litert": "LiteRT",
    "mlx": "MLX",
    "mxfp4": "MXFP4",
    "nvfp4": "NVFP4",
    "onnx": "ONNX",
    "openvino": "OpenVINO",
    "pytorch": "PyTorch",
    "safetensors": "safetensors",
    "tflite": "TFLite",
}

FILE_ENDINGS = {".gguf": "GGUF", ".ggml": "GGML", ".safetensors": "safetensors", ".onnx": "ONNX"}
