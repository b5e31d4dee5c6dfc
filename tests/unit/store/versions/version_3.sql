BEGIN TRANSACTION;
CREATE TABLE calls (
    call_id INTEGER PRIMARY KEY,
    run_id TEXT NOT NULL REFERENCES runs,
    model_key TEXT NOT NULL,
    request_hash TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    generation INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('sent', 'received', 'failed')),
    accepted INTEGER NOT NULL DEFAULT 0 CHECK (accepted IN (0, 1)),
    sent_at TEXT NOT NULL,
    ended_at TEXT,
    reserved_usd TEXT,
    cost_usd TEXT,
    text TEXT,
    reasoning TEXT,
    finish_reason TEXT,
    raw_finish_reason TEXT,
    input_tokens INTEGER,
    output_tokens INTEGER,
    cached_input_tokens INTEGER,
    reasoning_tokens INTEGER,
    ttft_s REAL,
    e2e_latency_s REAL,
    reported_model TEXT,
    raw TEXT,
    metadata TEXT,
    error_type TEXT,
    error_message TEXT
, cache_write_tokens INTEGER, cache_write_5m_tokens INTEGER, cache_write_1h_tokens INTEGER, input_audio_tokens INTEGER, output_audio_tokens INTEGER, message TEXT, response_id TEXT, service_tier TEXT, raw_usage TEXT) STRICT;
INSERT INTO "calls" VALUES(1,'sums-56b2ec24f3','5a7e980840d07b0ee0053d2d890dfbd663a6e373844c11431982938d8fdc1cf6','hash-sums/0',0,0,'received',1,'2026-11-20T10:00:02.000+00:00','2026-11-20T10:00:03.000+00:00','0.50','0.000125','running ünd ''quotes''; 0','because','stop','stop',3,2,1,1,0.25,1.5,'m-0613','{"a": [1, 2]}','{"id":"x"}',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "calls" VALUES(2,'sums-56b2ec24f3','5a7e980840d07b0ee0053d2d890dfbd663a6e373844c11431982938d8fdc1cf6','hash-sums/0',0,0,'received',0,'2026-11-20T10:00:04.000+00:00','2026-11-20T10:00:05.000+00:00','0.50','0.1','too late',NULL,'length',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'{}',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "calls" VALUES(3,'sums-56b2ec24f3','5a7e980840d07b0ee0053d2d890dfbd663a6e373844c11431982938d8fdc1cf6','hash-sums/1',0,0,'failed',0,'2026-11-20T10:00:06.000+00:00','2026-11-20T10:00:07.000+00:00','0.50',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'RunnerTimeoutError','too slow',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "calls" VALUES(4,'sums-56b2ec24f3','5a7e980840d07b0ee0053d2d890dfbd663a6e373844c11431982938d8fdc1cf6','hash-sums/2',0,0,'sent',0,'2026-11-20T10:00:08.000+00:00',NULL,'0.50',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "calls" VALUES(5,'sums-56b2ec24f3','5a7e980840d07b0ee0053d2d890dfbd663a6e373844c11431982938d8fdc1cf6','hash-sums/3',0,0,'received',1,'2026-11-20T10:00:09.000+00:00','2026-11-20T10:00:10.000+00:00','0.50',NULL,'6',NULL,'stop',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'{}',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "calls" VALUES(6,'sums-7e2fbf5566','18eea532005374fa06577b85f8b5989f43c09ed6a2b039804c608b8aa5b192d3','hash-sums/0',0,0,'received',1,'2026-11-20T10:00:13.000+00:00','2026-11-20T10:00:14.000+00:00','0.50','0.000125','finished ünd ''quotes''; 0','because','stop','stop',3,2,1,1,0.25,1.5,'m-0613','{"a": [1, 2]}','{"id":"x"}',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "calls" VALUES(7,'sums-7e2fbf5566','18eea532005374fa06577b85f8b5989f43c09ed6a2b039804c608b8aa5b192d3','hash-sums/0',0,0,'received',0,'2026-11-20T10:00:15.000+00:00','2026-11-20T10:00:16.000+00:00','0.50','0.1','too late',NULL,'length',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'{}',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "calls" VALUES(8,'sums-7e2fbf5566','18eea532005374fa06577b85f8b5989f43c09ed6a2b039804c608b8aa5b192d3','hash-sums/1',0,0,'failed',0,'2026-11-20T10:00:17.000+00:00','2026-11-20T10:00:18.000+00:00','0.50',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'RunnerTimeoutError','too slow',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "calls" VALUES(9,'sums-7e2fbf5566','18eea532005374fa06577b85f8b5989f43c09ed6a2b039804c608b8aa5b192d3','hash-sums/2',0,0,'sent',0,'2026-11-20T10:00:19.000+00:00',NULL,'0.50',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "calls" VALUES(10,'sums-7e2fbf5566','18eea532005374fa06577b85f8b5989f43c09ed6a2b039804c608b8aa5b192d3','hash-sums/3',0,0,'received',1,'2026-11-20T10:00:20.000+00:00','2026-11-20T10:00:21.000+00:00','0.50',NULL,'6',NULL,'stop',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'{}',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "calls" VALUES(11,'sums-ab32137db8','18eea532005374fa06577b85f8b5989f43c09ed6a2b039804c608b8aa5b192d3','hash-sums/0',0,1,'received',1,'2026-11-20T10:00:25.000+00:00','2026-11-20T10:00:26.000+00:00','0.50','0.000125','finished ünd ''quotes''; 1','because','stop','stop',3,2,1,1,0.25,1.5,'m-0613','{"a": [1, 2]}','{"id":"x"}',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "calls" VALUES(12,'sums-ab32137db8','18eea532005374fa06577b85f8b5989f43c09ed6a2b039804c608b8aa5b192d3','hash-sums/0',0,1,'received',0,'2026-11-20T10:00:27.000+00:00','2026-11-20T10:00:28.000+00:00','0.50','0.1','too late',NULL,'length',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'{}',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "calls" VALUES(13,'sums-ab32137db8','18eea532005374fa06577b85f8b5989f43c09ed6a2b039804c608b8aa5b192d3','hash-sums/1',0,1,'failed',0,'2026-11-20T10:00:29.000+00:00','2026-11-20T10:00:30.000+00:00','0.50',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'RunnerTimeoutError','too slow',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "calls" VALUES(14,'sums-ab32137db8','18eea532005374fa06577b85f8b5989f43c09ed6a2b039804c608b8aa5b192d3','hash-sums/2',0,1,'sent',0,'2026-11-20T10:00:31.000+00:00',NULL,'0.50',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "calls" VALUES(15,'sums-ab32137db8','18eea532005374fa06577b85f8b5989f43c09ed6a2b039804c608b8aa5b192d3','hash-sums/3',0,1,'received',1,'2026-11-20T10:00:32.000+00:00','2026-11-20T10:00:33.000+00:00','0.50',NULL,'6',NULL,'stop',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'{}',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "calls" VALUES(16,'sums-e889b5063f','dd60a5c0fecc26b4c5652bacb1e2453bf4f568cf088a903c80724c7eeb9d63d9','hash-sums/0',0,0,'received',1,'2026-11-20T10:00:37.000+00:00','2026-11-20T10:00:38.000+00:00','0.50','0.000125','interrupted ünd ''quotes''; 0','because','stop','stop',3,2,1,1,0.25,1.5,'m-0613','{"a": [1, 2]}','{"id":"x"}',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "calls" VALUES(17,'sums-e889b5063f','dd60a5c0fecc26b4c5652bacb1e2453bf4f568cf088a903c80724c7eeb9d63d9','hash-sums/0',0,0,'received',0,'2026-11-20T10:00:39.000+00:00','2026-11-20T10:00:40.000+00:00','0.50','0.1','too late',NULL,'length',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'{}',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "calls" VALUES(18,'sums-e889b5063f','dd60a5c0fecc26b4c5652bacb1e2453bf4f568cf088a903c80724c7eeb9d63d9','hash-sums/1',0,0,'failed',0,'2026-11-20T10:00:41.000+00:00','2026-11-20T10:00:42.000+00:00','0.50',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'RunnerTimeoutError','too slow',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "calls" VALUES(19,'sums-e889b5063f','dd60a5c0fecc26b4c5652bacb1e2453bf4f568cf088a903c80724c7eeb9d63d9','hash-sums/2',0,0,'sent',0,'2026-11-20T10:00:43.000+00:00',NULL,'0.50',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "calls" VALUES(20,'sums-e889b5063f','dd60a5c0fecc26b4c5652bacb1e2453bf4f568cf088a903c80724c7eeb9d63d9','hash-sums/3',0,0,'received',1,'2026-11-20T10:00:44.000+00:00','2026-11-20T10:00:45.000+00:00','0.50',NULL,'6',NULL,'stop',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'{}',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "calls" VALUES(21,'sums-7068d3ab74','2b0af4daf256f34127e6146d49a184dac96ec2f4a4a9ccae824438d9bcca87e9','hash-sums/0',0,0,'received',1,'2026-11-20T10:00:49.000+00:00','2026-11-20T10:00:50.000+00:00','0.50','0.000125','failed ünd ''quotes''; 0','because','stop','stop',3,2,1,1,0.25,1.5,'m-0613','{"a": [1, 2]}','{"id":"x"}',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "calls" VALUES(22,'sums-7068d3ab74','2b0af4daf256f34127e6146d49a184dac96ec2f4a4a9ccae824438d9bcca87e9','hash-sums/0',0,0,'received',0,'2026-11-20T10:00:51.000+00:00','2026-11-20T10:00:52.000+00:00','0.50','0.1','too late',NULL,'length',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'{}',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "calls" VALUES(23,'sums-7068d3ab74','2b0af4daf256f34127e6146d49a184dac96ec2f4a4a9ccae824438d9bcca87e9','hash-sums/1',0,0,'failed',0,'2026-11-20T10:00:53.000+00:00','2026-11-20T10:00:54.000+00:00','0.50',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'RunnerTimeoutError','too slow',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "calls" VALUES(24,'sums-7068d3ab74','2b0af4daf256f34127e6146d49a184dac96ec2f4a4a9ccae824438d9bcca87e9','hash-sums/2',0,0,'sent',0,'2026-11-20T10:00:55.000+00:00',NULL,'0.50',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "calls" VALUES(25,'sums-7068d3ab74','2b0af4daf256f34127e6146d49a184dac96ec2f4a4a9ccae824438d9bcca87e9','hash-sums/3',0,0,'received',1,'2026-11-20T10:00:56.000+00:00','2026-11-20T10:00:57.000+00:00','0.50',NULL,'6',NULL,'stop',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'{}',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "calls" VALUES(26,'sums-8f40f21c36','2a405b4a6dbd1cb8816763288b7356502e13e906501d385ae2c9d06651b95b8d','hash-sums/0',0,0,'received',1,'2026-11-20T10:01:01.000+00:00','2026-11-20T10:01:02.000+00:00','0.50','0.000125','budget ünd ''quotes''; 0','because','stop','stop',3,2,1,1,0.25,1.5,'m-0613','{"a": [1, 2]}','{"id":"x"}',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "calls" VALUES(27,'sums-8f40f21c36','2a405b4a6dbd1cb8816763288b7356502e13e906501d385ae2c9d06651b95b8d','hash-sums/0',0,0,'received',0,'2026-11-20T10:01:03.000+00:00','2026-11-20T10:01:04.000+00:00','0.50','0.1','too late',NULL,'length',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'{}',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "calls" VALUES(28,'sums-8f40f21c36','2a405b4a6dbd1cb8816763288b7356502e13e906501d385ae2c9d06651b95b8d','hash-sums/1',0,0,'failed',0,'2026-11-20T10:01:05.000+00:00','2026-11-20T10:01:06.000+00:00','0.50',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'RunnerTimeoutError','too slow',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "calls" VALUES(29,'sums-8f40f21c36','2a405b4a6dbd1cb8816763288b7356502e13e906501d385ae2c9d06651b95b8d','hash-sums/2',0,0,'sent',0,'2026-11-20T10:01:07.000+00:00',NULL,'0.50',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "calls" VALUES(30,'sums-8f40f21c36','2a405b4a6dbd1cb8816763288b7356502e13e906501d385ae2c9d06651b95b8d','hash-sums/3',0,0,'received',1,'2026-11-20T10:01:08.000+00:00','2026-11-20T10:01:09.000+00:00','0.50',NULL,'6',NULL,'stop',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'{}',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
CREATE TABLE conversations (
    conversation_id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('ask', 'chat')),
    reference TEXT NOT NULL,
    title TEXT NOT NULL,
    started_at TEXT NOT NULL,
    updated_at TEXT NOT NULL
) STRICT;
INSERT INTO "conversations" VALUES(1,'chat','fake:one','Hello, grün','2026-11-25T10:00:00+00:00','2026-11-25T10:00:05+00:00');
CREATE TABLE exam_items (
    exam_id TEXT NOT NULL REFERENCES exams,
    position INTEGER NOT NULL,
    item TEXT NOT NULL,
    line TEXT NOT NULL,
    PRIMARY KEY (exam_id, item)
) STRICT, WITHOUT ROWID;
INSERT INTO "exam_items" VALUES('sums-70a4daebd1fa1172391ce4f93c0cfe34',0,'sums/0','{"item":"sums/0","metadata":{"line":0},"prompt":"0 + 0 =","target":"0"}');
INSERT INTO "exam_items" VALUES('sums-70a4daebd1fa1172391ce4f93c0cfe34',1,'sums/1','{"item":"sums/1","metadata":{"line":1},"prompt":"1 + 1 =","target":"2"}');
INSERT INTO "exam_items" VALUES('sums-70a4daebd1fa1172391ce4f93c0cfe34',2,'sums/2','{"item":"sums/2","metadata":{"line":2},"prompt":"2 + 2 =","target":"4"}');
INSERT INTO "exam_items" VALUES('sums-70a4daebd1fa1172391ce4f93c0cfe34',3,'sums/3','{"item":"sums/3","metadata":{"line":3},"prompt":"3 + 3 =","target":"6"}');
CREATE TABLE exams (
    exam_id TEXT PRIMARY KEY,
    benchmark TEXT NOT NULL,
    header TEXT NOT NULL
) STRICT;
INSERT INTO "exams" VALUES('sums-70a4daebd1fa1172391ce4f93c0cfe34','sums','{"available_items":null,"benchmark":"sums","decoding":{"chat_max_output_tokens":null,"max_output_tokens":8,"stop":["\n"],"temperature":0.0,"top_p":null},"exam_id":"sums-70a4daebd1fa1172391ce4f93c0cfe34","extraction":"sums/1","items":4,"protocol":"fieldguide","seed":0,"source":{}}');
CREATE TABLE looks (
    subject TEXT NOT NULL,
    items INTEGER NOT NULL,
    shown_at TEXT NOT NULL,
    PRIMARY KEY (subject, items)
) STRICT, WITHOUT ROWID;
INSERT INTO "looks" VALUES('subject',40,'2026-11-25T00:00:00.000+00:00');
CREATE TABLE models (
    model_key TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    reference TEXT NOT NULL,
    identity TEXT NOT NULL,
    facts TEXT NOT NULL
) STRICT;
INSERT INTO "models" VALUES('5a7e980840d07b0ee0053d2d890dfbd663a6e373844c11431982938d8fdc1cf6','m-running','fake:m0','{"model":"m0"}','{"threads":0}');
INSERT INTO "models" VALUES('18eea532005374fa06577b85f8b5989f43c09ed6a2b039804c608b8aa5b192d3','m-finished','fake:m1','{"model":"m1"}','{"threads":1}');
INSERT INTO "models" VALUES('dd60a5c0fecc26b4c5652bacb1e2453bf4f568cf088a903c80724c7eeb9d63d9','m-interrupted','fake:m2','{"model":"m2"}','{"threads":2}');
INSERT INTO "models" VALUES('2b0af4daf256f34127e6146d49a184dac96ec2f4a4a9ccae824438d9bcca87e9','m-failed','fake:m3','{"model":"m3"}','{"threads":3}');
INSERT INTO "models" VALUES('2a405b4a6dbd1cb8816763288b7356502e13e906501d385ae2c9d06651b95b8d','m-budget','fake:m4','{"model":"m4"}','{"threads":4}');
CREATE TABLE run_attempts (
    run_id TEXT NOT NULL REFERENCES runs,
    position INTEGER NOT NULL,
    item TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    request_hash TEXT NOT NULL,
    score_key TEXT NOT NULL,
    PRIMARY KEY (run_id, item, attempt)
) STRICT, WITHOUT ROWID;
INSERT INTO "run_attempts" VALUES('sums-56b2ec24f3',0,'sums/0',0,'hash-sums/0','key');
INSERT INTO "run_attempts" VALUES('sums-56b2ec24f3',1,'sums/1',0,'hash-sums/1','key');
INSERT INTO "run_attempts" VALUES('sums-56b2ec24f3',2,'sums/2',0,'hash-sums/2','key');
INSERT INTO "run_attempts" VALUES('sums-56b2ec24f3',3,'sums/3',0,'hash-sums/3','key');
INSERT INTO "run_attempts" VALUES('sums-7068d3ab74',0,'sums/0',0,'hash-sums/0','key');
INSERT INTO "run_attempts" VALUES('sums-7068d3ab74',1,'sums/1',0,'hash-sums/1','key');
INSERT INTO "run_attempts" VALUES('sums-7068d3ab74',2,'sums/2',0,'hash-sums/2','key');
INSERT INTO "run_attempts" VALUES('sums-7068d3ab74',3,'sums/3',0,'hash-sums/3','key');
INSERT INTO "run_attempts" VALUES('sums-7e2fbf5566',0,'sums/0',0,'hash-sums/0','key');
INSERT INTO "run_attempts" VALUES('sums-7e2fbf5566',1,'sums/1',0,'hash-sums/1','key');
INSERT INTO "run_attempts" VALUES('sums-7e2fbf5566',2,'sums/2',0,'hash-sums/2','key');
INSERT INTO "run_attempts" VALUES('sums-7e2fbf5566',3,'sums/3',0,'hash-sums/3','key');
INSERT INTO "run_attempts" VALUES('sums-8f40f21c36',0,'sums/0',0,'hash-sums/0','key');
INSERT INTO "run_attempts" VALUES('sums-8f40f21c36',1,'sums/1',0,'hash-sums/1','key');
INSERT INTO "run_attempts" VALUES('sums-8f40f21c36',2,'sums/2',0,'hash-sums/2','key');
INSERT INTO "run_attempts" VALUES('sums-8f40f21c36',3,'sums/3',0,'hash-sums/3','key');
INSERT INTO "run_attempts" VALUES('sums-ab32137db8',0,'sums/0',0,'hash-sums/0','key');
INSERT INTO "run_attempts" VALUES('sums-ab32137db8',1,'sums/1',0,'hash-sums/1','key');
INSERT INTO "run_attempts" VALUES('sums-ab32137db8',2,'sums/2',0,'hash-sums/2','key');
INSERT INTO "run_attempts" VALUES('sums-ab32137db8',3,'sums/3',0,'hash-sums/3','key');
INSERT INTO "run_attempts" VALUES('sums-e889b5063f',0,'sums/0',0,'hash-sums/0','key');
INSERT INTO "run_attempts" VALUES('sums-e889b5063f',1,'sums/1',0,'hash-sums/1','key');
INSERT INTO "run_attempts" VALUES('sums-e889b5063f',2,'sums/2',0,'hash-sums/2','key');
INSERT INTO "run_attempts" VALUES('sums-e889b5063f',3,'sums/3',0,'hash-sums/3','key');
CREATE TABLE "runs" (
    run_id TEXT PRIMARY KEY,
    exam_id TEXT NOT NULL REFERENCES exams,
    model_key TEXT NOT NULL REFERENCES models,
    attempts INTEGER NOT NULL,
    generation INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('running', 'finished', 'interrupted', 'failed', 'budget', 'paused')),
    reason TEXT,
    started_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    active_s REAL NOT NULL DEFAULT 0,
    options TEXT NOT NULL,
    environment TEXT NOT NULL,
    forecast TEXT,
    UNIQUE (exam_id, model_key, attempts, generation)
) STRICT;
INSERT INTO "runs" VALUES('sums-56b2ec24f3','sums-70a4daebd1fa1172391ce4f93c0cfe34','5a7e980840d07b0ee0053d2d890dfbd663a6e373844c11431982938d8fdc1cf6',1,0,'running',NULL,'2026-11-20T10:00:00.000+00:00','2026-11-20T10:00:01.000+00:00',0.0,'{"fresh":false}','{"python":"3.11"}',NULL);
INSERT INTO "runs" VALUES('sums-7e2fbf5566','sums-70a4daebd1fa1172391ce4f93c0cfe34','18eea532005374fa06577b85f8b5989f43c09ed6a2b039804c608b8aa5b192d3',1,0,'finished',NULL,'2026-11-20T10:00:11.000+00:00','2026-11-20T10:00:22.000+00:00',12.5,'{"fresh":false}','{"python":"3.11"}',NULL);
INSERT INTO "runs" VALUES('sums-ab32137db8','sums-70a4daebd1fa1172391ce4f93c0cfe34','18eea532005374fa06577b85f8b5989f43c09ed6a2b039804c608b8aa5b192d3',1,1,'finished',NULL,'2026-11-20T10:00:23.000+00:00','2026-11-20T10:00:34.000+00:00',12.5,'{"fresh":true}','{"python":"3.11"}',NULL);
INSERT INTO "runs" VALUES('sums-e889b5063f','sums-70a4daebd1fa1172391ce4f93c0cfe34','dd60a5c0fecc26b4c5652bacb1e2453bf4f568cf088a903c80724c7eeb9d63d9',1,0,'interrupted','why interrupted','2026-11-20T10:00:35.000+00:00','2026-11-20T10:00:46.000+00:00',12.5,'{"fresh":false}','{"python":"3.11"}',NULL);
INSERT INTO "runs" VALUES('sums-7068d3ab74','sums-70a4daebd1fa1172391ce4f93c0cfe34','2b0af4daf256f34127e6146d49a184dac96ec2f4a4a9ccae824438d9bcca87e9',1,0,'failed','why failed','2026-11-20T10:00:47.000+00:00','2026-11-20T10:00:58.000+00:00',12.5,'{"fresh":false}','{"python":"3.11"}',NULL);
INSERT INTO "runs" VALUES('sums-8f40f21c36','sums-70a4daebd1fa1172391ce4f93c0cfe34','2a405b4a6dbd1cb8816763288b7356502e13e906501d385ae2c9d06651b95b8d',1,0,'budget','why budget','2026-11-20T10:00:59.000+00:00','2026-11-20T10:01:10.000+00:00',12.5,'{"fresh":false}','{"python":"3.11"}',NULL);
CREATE TABLE scores (
    call_id INTEGER NOT NULL REFERENCES calls,
    score_key TEXT NOT NULL,
    scorer TEXT NOT NULL,
    scorer_version TEXT NOT NULL,
    outcome TEXT NOT NULL,
    extracted TEXT,
    detail TEXT, target TEXT,
    PRIMARY KEY (call_id, score_key)
) STRICT, WITHOUT ROWID;
INSERT INTO "scores" VALUES(1,'key','sums','1','correct','0','exact',NULL);
INSERT INTO "scores" VALUES(1,'other','sums','1','wrong',NULL,NULL,NULL);
INSERT INTO "scores" VALUES(6,'key','sums','1','correct','0','exact',NULL);
INSERT INTO "scores" VALUES(6,'other','sums','1','wrong',NULL,NULL,NULL);
INSERT INTO "scores" VALUES(11,'key','sums','1','correct','0','exact',NULL);
INSERT INTO "scores" VALUES(11,'other','sums','1','wrong',NULL,NULL,NULL);
INSERT INTO "scores" VALUES(16,'key','sums','1','correct','0','exact',NULL);
INSERT INTO "scores" VALUES(16,'other','sums','1','wrong',NULL,NULL,NULL);
INSERT INTO "scores" VALUES(21,'key','sums','1','correct','0','exact',NULL);
INSERT INTO "scores" VALUES(21,'other','sums','1','wrong',NULL,NULL,NULL);
INSERT INTO "scores" VALUES(26,'key','sums','1','correct','0','exact',NULL);
INSERT INTO "scores" VALUES(26,'other','sums','1','wrong',NULL,NULL,NULL);
CREATE TABLE turns (
    turn_id INTEGER PRIMARY KEY,
    conversation_id INTEGER NOT NULL REFERENCES conversations,
    said_at TEXT NOT NULL,
    taken_back INTEGER NOT NULL DEFAULT 0 CHECK (taken_back IN (0, 1)),
    message TEXT NOT NULL,
    answer TEXT
) STRICT;
INSERT INTO "turns" VALUES(1,1,'2026-11-25T10:00:00+00:00',0,'{"role":"user","content":"Hello, grün"}',NULL);
INSERT INTO "turns" VALUES(2,1,'2026-11-25T10:00:05+00:00',0,'{"role":"assistant","content":"Hello."}','{"model":"one","usage":{"input_tokens":3,"output_tokens":2}}');
CREATE UNIQUE INDEX one_accepted_call
    ON calls (model_key, request_hash, attempt, generation) WHERE accepted = 1;
CREATE INDEX calls_of_run ON calls (run_id);
CREATE INDEX calls_by_request ON calls (model_key, request_hash, attempt);
CREATE INDEX turns_of_conversation ON turns (conversation_id);
COMMIT;
PRAGMA user_version = 3;
