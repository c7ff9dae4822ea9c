// Reads resources of Strimzi with Strimzi's own classes: java -cp 'LIBS/*' ReadsAll.java FILE…
//
// A file is a resource in JSON. One that has a member that the classes do not know, or a value that they do not take, is
// named, and the exit code is 1. What is read is written again, and must be what it was: an unknown word of an enumeration
// is read as nothing.

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.strimzi.api.kafka.model.topic.KafkaTopic;
import io.strimzi.api.kafka.model.user.KafkaUser;
import java.lang.reflect.Method;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

public class ReadsAll {
    private static final ObjectMapper MAPPER =
        new ObjectMapper().configure(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES, true);

    private static void unknown(String where, Object value, List<String> problems) throws ReflectiveOperationException {
        if (value instanceof Iterable<?> values) {
            int index = 0;
            for (Object each : values) {
                unknown(where + "[" + index++ + "]", each, problems);
            }
        }
        if (value == null || value instanceof Enum || !value.getClass().getName().startsWith("io.strimzi.api")) {
            return;
        }
        for (Method method : value.getClass().getMethods()) {
            if (method.getParameterCount() > 0 || !method.getName().startsWith("get")) {
                continue;
            }
            String name = method.getName().substring(3);
            Object member = method.invoke(value);
            if (name.equals("AdditionalProperties")) {
                for (Object key : ((Map<?, ?>) member).keySet()) {
                    problems.add(where + ": " + key + " is not known");
                }
            } else {
                unknown(where + "." + name, member, problems);
            }
        }
    }

    /** Whether all of a tree is in another one, which may have more. */
    private static void compare(String where, JsonNode had, JsonNode has, List<String> problems) {
        if (had.isObject() && has != null && has.isObject()) {
            had.fieldNames().forEachRemaining(name -> compare(where + "." + name, had.get(name), has.get(name), problems));
        } else if (had.isArray() && has != null && has.size() == had.size()) {
            for (int index = 0; index < had.size(); index++) {
                compare(where + "[" + index + "]", had.get(index), has.get(index), problems);
            }
        } else if (has == null && where.endsWith(".patternType") && had.asText().equals("literal")) {
            // The default is not written.
            return;
        } else if (!had.equals(has)) {
            problems.add(where + ": " + had + " is read as " + has);
        }
    }

    public static void main(String[] files) throws Exception {
        List<String> problems = new ArrayList<>();
        for (String file : files) {
            JsonNode tree = MAPPER.readTree(Path.of(file).toFile());
            String kind = tree.get("kind").asText();
            String where = kind + " " + tree.get("metadata").get("name").asText();
            boolean isTopic = kind.equals(KafkaTopic.RESOURCE_KIND);
            String version = tree.get("apiVersion").asText().replaceFirst("^kafka.strimzi.io/", "");
            if (!(isTopic ? KafkaTopic.VERSIONS : KafkaUser.VERSIONS).contains(version)) {
                problems.add(where + ": no version " + version);
            }
            try {
                Class<?> type = isTopic ? KafkaTopic.class : KafkaUser.class;
                Object resource = MAPPER.treeToValue(tree, type);
                unknown(where, resource, problems);
                compare(where + ".spec", tree.get("spec"), MAPPER.<JsonNode>valueToTree(resource).get("spec"), problems);
            } catch (com.fasterxml.jackson.core.JsonProcessingException error) {
                problems.add(where + ": " + error.getOriginalMessage());
            }
        }
        problems.forEach(System.err::println);
        System.exit(problems.isEmpty() ? 0 : 1);
    }
}
