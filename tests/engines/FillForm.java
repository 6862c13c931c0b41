import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.javarosa.core.model.Constants;
import org.javarosa.core.model.CoreModelModule;
import org.javarosa.core.model.FormDef;
import org.javarosa.core.model.FormIndex;
import org.javarosa.core.model.GroupDef;
import org.javarosa.core.model.IFormElement;
import org.javarosa.core.model.SelectChoice;
import org.javarosa.core.model.data.AnswerDataFactory;
import org.javarosa.core.model.data.IAnswerData;
import org.javarosa.core.model.data.SelectMultiData;
import org.javarosa.core.model.data.SelectOneData;
import org.javarosa.core.model.data.StringData;
import org.javarosa.core.model.data.UncastData;
import org.javarosa.core.model.data.helper.Selection;
import org.javarosa.core.model.instance.InstanceInitializationFactory;
import org.javarosa.core.model.instance.TreeReference;
import org.javarosa.core.reference.Reference;
import org.javarosa.core.reference.ReferenceFactory;
import org.javarosa.core.reference.ReferenceManager;
import org.javarosa.core.services.IPropertyManager;
import org.javarosa.core.services.PropertyManager;
import org.javarosa.core.services.PrototypeManager;
import org.javarosa.core.services.properties.IPropertyRules;
import org.javarosa.core.util.JavaRosaCoreModule;
import org.javarosa.form.api.FormEntryController;
import org.javarosa.form.api.FormEntryModel;
import org.javarosa.form.api.FormEntryPrompt;
import org.javarosa.model.xform.XFormSerializingVisitor;
import org.javarosa.model.xform.XFormsModule;
import org.javarosa.xform.util.XFormUtils;

/**
 * Fills a form as ODK Collect would, with the engine inside ODK Collect, from a script of answers.
 *
 * <p>Arguments: form.xml, folder of media files, script, instance.xml to write. A line of the script is
 * {@code /data/trees/tree[2]/stem/dbh_cm=14.3}; a repeat that the script names and that is not there yet is added.
 * Prints each violation that is left at the end as {@code path condition}; fails on an answer that finds no
 * question (not relevant, or no such path) and on a choice that the form does not offer.
 */
public final class FillForm {
    private final Map<String, String> answers = new LinkedHashMap<>();
    private final Set<String> taken = new HashSet<>();
    private final Set<String> repeats = new HashSet<>();
    private final FormDef form;
    private final FormEntryController controller;

    private FillForm(FormDef form) {
        this.form = form;
        this.controller = new FormEntryController(new FormEntryModel(form));
        noteRepeats(form);
    }

    public static void main(String[] args) throws Exception {
        PrototypeManager.registerPrototypes(JavaRosaCoreModule.classNames);
        PrototypeManager.registerPrototypes(CoreModelModule.classNames);
        new XFormsModule().registerModule();
        PropertyManager.setPropertyManager(new Phone());
        ReferenceManager.instance().addReferenceFactory(new MediaFolder(Path.of(args[1])));
        FormDef form = XFormUtils.getFormFromFormXml(args[0], null);
        form.initialize(true, new InstanceInitializationFactory());
        FillForm filler = new FillForm(form);
        for (String line : Files.readAllLines(Path.of(args[2]))) {
            if (line.contains("=")) {
                filler.answers.put(line.substring(0, line.indexOf('=')), line.substring(line.indexOf('=') + 1));
            }
        }
        filler.walk();
        Set<String> violations = filler.violations();
        form.postProcessInstance();
        byte[] xml = new XFormSerializingVisitor().serializeInstance(form.getInstance());
        Files.write(Path.of(args[3]), xml);
        violations.forEach(System.out::println);
    }

    private void noteRepeats(IFormElement element) {
        if (element instanceof GroupDef group && group.getRepeat()) {
            repeats.add(((TreeReference) group.getBind().getReference()).genericize().toString(false));
        }
        if (element.getChildren() != null) {
            element.getChildren().forEach(this::noteRepeats);
        }
    }

    /** Goes through the form like a person swiping: answers what the script answers, adds the repeats it names. */
    private void walk() {
        controller.jumpToIndex(FormIndex.createBeginningOfFormIndex());
        int event;
        while ((event = controller.stepToNextEvent()) != FormEntryController.EVENT_END_OF_FORM) {
            FormIndex index = controller.getModel().getFormIndex();
            if (event == FormEntryController.EVENT_PROMPT_NEW_REPEAT && isNamed(path(index))) {
                controller.newRepeat();
            } else if (event == FormEntryController.EVENT_QUESTION) {
                answer(controller.getModel().getQuestionPrompt(), path(index));
            }
        }
        Set<String> left = new TreeSet<>(answers.keySet());
        left.removeAll(taken);
        if (!left.isEmpty()) {
            throw new IllegalArgumentException("no question for " + left);
        }
    }

    private boolean isNamed(String repeat) {
        return answers.keySet().stream().anyMatch(path -> path.startsWith(repeat + "/"));
    }

    private void answer(FormEntryPrompt prompt, String path) {
        String text = answers.get(path);
        if (text == null) {
            return;
        }
        taken.add(path);
        // as in a field-list: saved as it is typed, judged when the screen is left
        controller.saveAnswer(text.isEmpty() ? null : cast(prompt, text), false);
    }

    private IAnswerData cast(FormEntryPrompt prompt, String text) {
        switch (prompt.getControlType()) {
            case Constants.CONTROL_SELECT_ONE:
                return new SelectOneData(choice(prompt, text));
            case Constants.CONTROL_SELECT_MULTI:
                List<Selection> chosen = new ArrayList<>();
                for (String value : text.split(" ")) {
                    chosen.add(choice(prompt, value));
                }
                return new SelectMultiData(chosen);
            case Constants.CONTROL_IMAGE_CHOOSE:
            case Constants.CONTROL_FILE_CAPTURE:
                return new StringData(text);
            default:
                return AnswerDataFactory.templateByDataType(prompt.getDataType()).cast(new UncastData(text));
        }
    }

    private static Selection choice(FormEntryPrompt prompt, String value) {
        for (SelectChoice offered : prompt.getSelectChoices()) {
            if (offered.getValue().equals(value)) {
                return offered.selection();
            }
        }
        throw new IllegalArgumentException(prompt.getIndex() + " does not offer " + value);
    }

    /** What a phone would not let pass: a constraint that is broken, a required answer that is missing. */
    private Set<String> violations() {
        Set<String> found = new TreeSet<>();
        controller.jumpToIndex(FormIndex.createBeginningOfFormIndex());
        int event;
        while ((event = controller.stepToNextEvent()) != FormEntryController.EVENT_END_OF_FORM) {
            if (event != FormEntryController.EVENT_QUESTION) {
                continue;
            }
            FormEntryPrompt prompt = controller.getModel().getQuestionPrompt();
            TreeReference reference = prompt.getIndex().getReference();
            IAnswerData value = prompt.getAnswerValue();
            if (value == null && prompt.isRequired()) {
                found.add(path(prompt.getIndex()) + " required");
            } else if (value != null && !form.evaluateConstraint(reference, value)) {
                found.add(path(prompt.getIndex()) + " constraint");
            }
        }
        return found;
    }

    /** "/data/trees/tree[2]/stem/dbh_cm": positions, from 1, on repeats only. */
    private String path(FormIndex index) {
        TreeReference reference = index.getReference();
        StringBuilder named = new StringBuilder();
        StringBuilder generic = new StringBuilder();
        for (int level = 0; level < reference.size(); level++) {
            named.append('/').append(reference.getName(level));
            generic.append('/').append(reference.getName(level));
            if (repeats.contains(generic.toString())) {
                named.append('[').append(Math.max(reference.getMultiplicity(level), 0) + 1).append(']');
            }
        }
        return named.toString();
    }

    /** What a form may ask of the phone itself: here only its id. */
    private static final class Phone implements IPropertyManager {
        @Override
        public List<String> getProperty(String name) {
            return List.of(getSingularProperty(name));
        }

        @Override
        public void setProperty(String name, String value) {
            // a finished form hands its properties back; there is nothing here to keep them
        }

        @Override
        public void setProperty(String name, List<String> value) {
            // a finished form hands its properties back; there is nothing here to keep them
        }

        @Override
        public String getSingularProperty(String name) {
            return name.equals("deviceid") ? "test:phone" : "";
        }

        @Override
        public void addRules(IPropertyRules rules) {
            // no rules here
        }

        @Override
        public List<IPropertyRules> getRules() {
            return List.of();
        }
    }

    /** Every jr:// address of a file is the file of that name in one folder. */
    private record MediaFolder(Path folder) implements ReferenceFactory {
        @Override
        public boolean derives(String uri) {
            return uri.startsWith("jr://");
        }

        @Override
        public Reference derive(String uri) {
            return new MediaFile(uri, folder.resolve(uri.substring(uri.lastIndexOf('/') + 1)));
        }

        @Override
        public Reference derive(String uri, String context) {
            return derive(uri);
        }
    }

    private record MediaFile(String uri, Path file) implements Reference {
        @Override
        public boolean doesBinaryExist() {
            return Files.exists(file);
        }

        @Override
        public InputStream getStream() throws IOException {
            return new ByteArrayInputStream(Files.readAllBytes(file));
        }

        @Override
        public String getURI() {
            return uri;
        }

        @Override
        public String getLocalURI() {
            return file.toString();
        }

        @Override
        public boolean isReadOnly() {
            return true;
        }

        @Override
        public OutputStream getOutputStream() {
            throw new UnsupportedOperationException("media are read only");
        }

        @Override
        public void remove() {
            throw new UnsupportedOperationException("media are read only");
        }

        @Override
        public Reference[] probeAlternativeReferences() {
            return new Reference[0];
        }
    }
}
